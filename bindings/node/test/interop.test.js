// Rust, Python and Node claim from one folder at once, and are killed at random: each task is done once.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from 'tenure'
import { folder } from './scratch.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PROGRAM = process.env.TENURE_PROGRAM ?? join(ROOT, 'target', 'debug', 'tenure')
const PYTHON = process.env.TENURE_PYTHON ?? join(ROOT, '.tools', 'venv', 'bin', 'python')
const worker = (name) => fileURLToPath(new URL(`interop/${name}`, import.meta.url))

const TASKS = 400
const KILLS = 12

const lacks = !existsSync(PROGRAM)
  ? 'the tenure program is not built: cargo build -p tenure-cli'
  : spawnSync(PYTHON, ['-c', 'import tenure']).status !== 0 && 'the Python package is not installed: make test does that'

test('each task is done once, whoever is killed', { timeout: 110_000 }, async (t) => {
  if (lacks) {
    // Where all is tested, all has to be there.
    assert.notEqual(process.env.TENURE_INTEROP, 'required', lacks)
    return t.skip(lacks)
  }
  const place = join(folder(t), 'store')
  const store = await open(place)
  await store.addMany(
    'work',
    Array.from({ length: TASKS }, (_, i) => `task-${i}`),
  )

  const running = new Map()
  /** Runs a program to its end, or to its death; answers with what it said. */
  const run = (name, command, args, input) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
      running.set(child, name)
      const said = []
      child.stdout.on('data', (chunk) => said.push(chunk))
      child.stdin.on('error', () => {}) // it was killed before it read
      child.stdin.end(input ?? '')
      child.once('error', reject)
      child.once('close', (code, signal) => {
        running.delete(child)
        resolve({ code, signal, said: Buffer.concat(said).toString() })
      })
    })
  t.after(() => {
    for (const child of running.keys()) child.kill('SIGKILL')
  })
  let left = true
  const again = async (name, command, args) => {
    while (left) {
      const { code, signal } = await run(name, command, args)
      assert.ok(code === 0 || signal === 'SIGKILL', `${name} ended with ${code} ${signal}`)
    }
  }
  // The program has no loop: each claim and each commit is a process of its own.
  const rust = async () => {
    while (left) {
      const claimed = await run('rust', PROGRAM, ['claim', place, 'work', '--lease', '1s', '--json'])
      const [task] = claimed.code === 0 ? JSON.parse(claimed.said).tasks : []
      if (task === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        continue
      }
      const request = {
        owner: task.owner,
        deletes: [{ id: task.id, origin: task.origin, reason: 'finished' }],
        puts: [{ table: 'done', key: task.data, value: 'rust', expect: 0 }],
        increments: [{ table: 'counts', key: 'rust', by: 1 }],
      }
      await run('rust', PROGRAM, ['update', place, '--json'], JSON.stringify(request))
    }
  }
  const workers = [
    again('node', process.execPath, [worker('worker.js'), place]),
    again('python', PYTHON, [worker('worker.py'), place]),
    rust(),
    rust(),
  ]
  const kills = { node: 0, python: 0, rust: 0 }
  while ((await store.group('work')).tasks > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50 + 200 * Math.random()))
    // The one of whom the fewest were killed.
    const [name] = Object.entries(kills).sort(([, a], [, b]) => a - b)[0]
    const victim = [...running].find(([, who]) => who === name)?.[0]
    if (kills[name] < KILLS / 3 && victim?.kill('SIGKILL')) kills[name] += 1
  }
  left = false
  await Promise.all(workers)

  const done = await store.scan('done', { limit: TASKS + 1 })
  assert.equal(done.length, TASKS)
  const by = {}
  for (const record of done) by[record.text()] = (by[record.text()] ?? 0) + 1
  const counted = Object.fromEntries((await store.scan('counts')).map((record) => [record.key, Number(record.text())]))
  // Were one done twice, the counts would say more than the records.
  assert.deepEqual(counted, by)
  t.diagnostic(`${JSON.stringify(by)}, killed ${JSON.stringify(kills)}`)
  await store.close()
})
