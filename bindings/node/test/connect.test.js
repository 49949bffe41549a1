// A store that another process serves.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tenure from 'tenure'
import { folder } from './scratch.js'
import { serve } from './served.js'

const PROGRAM = fileURLToPath(new URL('../tenure.js', import.meta.url))

test('an aborted wait on a served store ends at once and holds nothing', async (t) => {
  const url = await serve(t)
  const store = await tenure.connect(url)
  const other = await tenure.connect(new URL(url))
  for (const wait of [
    (signal) => store.claim('g', { wait: null, signal }),
    (signal) => store.waitEmpty('full', { timeout: null, signal }),
  ]) {
    await other.add('full', 'x')
    const controller = new AbortController()
    const waits = assert.rejects(wait(controller.signal), { name: 'AbortError' })
    await store.revision()
    const began = performance.now()
    controller.abort()
    await waits
    // Ten times what is promised: this machine may have other work.
    assert.ok(performance.now() - began < 1000)
  }
  await other.add('g', 'x')
  assert.equal((await other.claim('g')).attempt, 1)
  await Promise.all([store.close(), other.close()])
})

test('a served store takes tokens, and says who is refused', async (t) => {
  const tokens = join(folder(t), 'tokens')
  const secret = 'a secret of the tests'
  const grants = [{ scope: 'admin' }]
  writeFileSync(tokens, JSON.stringify({ tokens: [{ name: 'board', secret, grants }] }), { mode: 0o600 })
  const url = await serve(t, '--tokens', tokens)
  await assert.rejects(tenure.connect(url, { retryFor: 0 }), tenure.TenureError)
  const store = await tenure.connect(url, { token: secret, owner: 7 })
  assert.equal(store.owner, 7)
  assert.equal((await store.add('g', 'x')).text(), 'x')
  await store.close()
  await assert.rejects(store.add('g', 'y'), tenure.Closed)
})

test('what is wrong with an address is said', async () => {
  await assert.rejects(tenure.connect('nowhere'), tenure.Invalid)
  await assert.rejects(tenure.connect('http://127.0.0.1:1', { retryFor: 0 }), tenure.Unavailable)
  await assert.rejects(tenure.connect('http://127.0.0.1:1', { lockWait: 1 }), tenure.Invalid)
  await assert.rejects(tenure.connect(7), TypeError)
})

test('the package serves a store by itself, and ends when it is told to', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const child = spawn(process.execPath, [PROGRAM, 'serve', join(folder(t), 's'), '--listen', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    const store = await tenure.connect(line.split(' ').at(-1))
    const task = await store.add('g', 'x')
    await store.close()
    child.kill(signal)
    assert.deepEqual(await ended, [0, null], signal)
    assert.equal(task.group, 'g')
  }
})
