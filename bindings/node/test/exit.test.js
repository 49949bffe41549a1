// What a program leaves behind that ends without closing its store.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import * as tenure from 'tenure'
import { folder } from './scratch.js'

/** What an exclusive opportunistic store has answered, it may have in memory alone for a while. */
const FILLS = `
const store = await tenure.open(place, { durability: 'opportunistic', exclusive: true })
for (let i = 0; i < 50; i++) await store.add('g', String(i))
`

const ENDS = {
  'comes to its end': '',
  'calls process.exit': 'process.exit(0)',
  'throws an exception that nobody catches': "queueMicrotask(() => { throw new Error('on purpose') })",
}

function run(code, ...args) {
  const script = `const place = process.argv[1]\nimport * as tenure from 'tenure'\n${code}`
  const cwd = new URL('..', import.meta.url)
  return spawnSync(process.execPath, ['--input-type=module', '-e', script, ...args], { cwd, encoding: 'utf8' })
}

async function left(place) {
  const store = await tenure.open(place)
  try {
    return (await store.group('g')).tasks
  } finally {
    await store.close()
  }
}

for (const [how, end] of Object.entries(ENDS)) {
  test(`nothing that was answered is lost by a program that ${how}`, async (t) => {
    const place = join(folder(t), 's')
    const { status, stderr } = run(`${FILLS}${end}`, place)
    assert.equal(status, how.startsWith('throws') ? 1 : 0, stderr)
    assert.equal(await left(place), 50)
  })
}

const IN_A_WORKER = `
import { Worker } from 'node:worker_threads'
const code = 'const { workerData, parentPort } = require("node:worker_threads"); const tenure = require("tenure");' +
  '(async () => { const store = await tenure.open(workerData, { durability: "opportunistic", exclusive: true });' +
  'for (let i = 0; i < 50; i++) await store.add("g", String(i)); parentPort.postMessage("done"); HOW })()'
`

for (const [how, inside, outside] of [
  ['comes to its end', 'parentPort.unref()', ''],
  ['is terminated', 'setInterval(() => {}, 1000)', 'worker.terminate()'],
]) {
  test(`nothing that was answered is lost by a worker thread that ${how}`, async (t) => {
    const place = join(folder(t), 's')
    const { status, stderr } = run(
      `${IN_A_WORKER}
const worker = new Worker(code.replace('HOW', ${JSON.stringify(inside)}), { eval: true, execArgv: [], workerData: place })
worker.on('message', () => { ${outside} })`,
      place,
    )
    assert.equal(status, 0, stderr)
    assert.equal(await left(place), 50)
  })
}

test('a program that ends with a journal of its own open does not hang', (t) => {
  const { status, stderr } = run(
    `const store = await tenure.open(new tenure.MemoryJournal())
await store.add('g', 'x')
process.on('exit', () => console.log(store.owner > 0))`,
    join(folder(t), 'unused'),
  )
  assert.equal(status, 0, stderr)
})
