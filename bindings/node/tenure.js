#!/usr/bin/env node
// The whole command line: `npx tenure --help`.

import native from './lib/native.cjs'

process.exitCode = native.main(['tenure', ...process.argv.slice(2)])
