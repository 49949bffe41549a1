// The example: a service takes texts, workers count them, one of which is killed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder } from './scratch.js'
import { serve } from './served.js'

const EXAMPLE = fileURLToPath(new URL('../../../examples/node/', import.meta.url))
const HERE = fileURLToPath(new URL('..', import.meta.url))

test('texts that were taken are counted, once, though a worker is killed', { timeout: 100_000 }, (t) => counted(t, {}))

test('the same on a served store', { timeout: 100_000 }, async (t) => {
  await counted(t, { TENURE_URL: await serve(t) })
})

async function counted(t, more) {
  const place = folder(t)
  mkdirSync(join(place, 'node_modules'))
  symlinkSync(HERE, join(place, 'node_modules', 'tenure'), 'junction')
  for (const name of ['package.json', 'service.js', 'worker.js']) copyFileSync(join(EXAMPLE, name), join(place, name))
  const environment = { ...process.env, LEASE: '500', ...more }
  const begin = (...args) => {
    const child = spawn(process.execPath, args, { cwd: place, env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  const service = begin('service.js', 'texts.tenure', '0')
  const heard = await new Promise((resolve) => createInterface(service.stdout).once('line', resolve))
  const url = `http://127.0.0.1:${/\d+/.exec(heard)[0]}`
  const post = async (body, headers) => {
    const answer = await fetch(`${url}/texts`, { method: 'POST', body, headers })
    assert.equal(answer.status, 202)
    return (await answer.json()).id
  }
  const ids = []
  for (let i = 1; i <= 30; i += 1) ids.push(await post('word '.repeat(i)))
  assert.equal(await post('word ', { 'idempotency-key': 'k' }), await post('word ', { 'idempotency-key': 'k' }))
  const empty = await post(' ')
  assert.equal((await fetch(`${url}/texts/999`)).status, 404)

  const victim = begin('worker.js', 'texts.tenure')
  victim.stdout.once('data', () => victim.kill('SIGKILL'))
  const worker = begin('worker.js', 'texts.tenure')
  worker.stdout.resume()
  const tell = async (id) => (await fetch(`${url}/texts/${id}`)).json()
  const until = async (id, so) => {
    for (;;) {
      const told = await tell(id)
      if (so(told)) return told
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  for (const [i, id] of ids.entries()) assert.equal((await until(id, ({ words }) => words)).words, i + 1)
  const failed = await until(empty, ({ attempts }) => attempts >= 3)
  assert.match(failed.error, /nothing to count/)

  // Told to stop, both end by themselves.
  for (const child of [worker, service]) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    assert.equal(await ended, 0)
  }
}
