// The guide: its JavaScript programs run as they stand and print what stands behind them.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder } from './scratch.js'

const GUIDE = fileURLToPath(new URL('../../../docs/guide/', import.meta.url))
const HERE = fileURLToPath(new URL('..', import.meta.url))

/** Name, text, and the output where it is given, of each program. */
function* programs() {
  // Those for the browser run there: bindings/wasm/test/browser/guide.test.js.
  for (const page of readdirSync(GUIDE).filter((name) => name.endsWith('.md') && name !== 'browser.md')) {
    for (const section of readFileSync(join(GUIDE, page), 'utf8').split('\n## ')) {
      const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
      for (const [at, [, language, text]] of blocks.entries()) {
        if (language !== 'js') continue
        const output = blocks[at + 1]?.[1] === 'text' ? blocks[at + 1][2] : undefined
        yield { name: `${page}: ${section.split('\n')[0]}`, text, output }
      }
    }
  }
}

const found = [...programs()]

test('the guide has the six commonest programs', () => {
  assert.ok(found.filter(({ name, output }) => name.startsWith('node.md') && output).length >= 6)
})

for (const { name, text, output } of found) {
  test(`${name} runs`, (t) => {
    const place = folder(t)
    mkdirSync(join(place, 'node_modules'))
    symlinkSync(HERE, join(place, 'node_modules', 'tenure'), 'junction')
    writeFileSync(join(place, 'program.mjs'), text)
    const done = spawnSync(process.execPath, ['program.mjs'], { cwd: place, encoding: 'utf8', timeout: 60_000 })
    assert.equal(done.status, 0, done.stderr)
    if (output !== undefined) assert.equal(done.stdout, output)
  })
}
