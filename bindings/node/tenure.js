#!/usr/bin/env node
// The whole command line: `npx tenure --help`.

import native from './lib/native.cjs'

// Node's own handlers raise a signal again and again where the program below has taken it over. Without a listener each
// does what it does to any program, until the program says otherwise.
for (const signal of ['SIGINT', 'SIGTERM']) {
  const none = () => {}
  process.on(signal, none).off(signal, none)
}

process.exitCode = native.main(['tenure', ...process.argv.slice(2)])
