// Builds the native part with Cargo and puts it beside the package, under the name that `lib/native.cjs` loads.
//
//   node build.js            as it is released
//   node build.js --dev      faster to build, for tests
//   node build.js --lacking  only where there is none yet

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { local: name } = createRequire(import.meta.url)('./lib/platform.cjs')
const here = dirname(fileURLToPath(import.meta.url))
const dev = process.argv.includes('--dev')

if (process.argv.includes('--lacking') && existsSync(join(here, name))) process.exit(0)

const args = ['build', '--locked', '--manifest-path', join(here, 'Cargo.toml'), '--message-format', 'json-render-diagnostics']
if (!dev) args.push('--release')
if (process.env.CARGO_TARGET_DIR === undefined) args.push('--target-dir', join(here, '..', '..', 'target', 'node'))

const built = spawnSync('cargo', args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 })
if (built.error?.code === 'ENOENT') {
  console.error('tenure: cargo is missing, which builds the native part: install Rust (https://rustup.rs), then run this again')
  process.exit(1)
}
if (built.status !== 0) process.exit(built.status ?? 1)

// Where Cargo says it lies, whatever the platform calls it.
const messages = built.stdout
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
const made = messages.find((message) => message.reason === 'compiler-artifact' && message.target.name === 'tenure_node')
const library = made?.filenames.find((file) => /\.(so|dylib|dll)$/.test(file))
if (library === undefined) {
  console.error('tenure: cargo built no library')
  process.exit(1)
}
// A program that has the old one loaded keeps it.
copyFileSync(library, join(here, `${name}.new`))
renameSync(join(here, `${name}.new`), join(here, name))
