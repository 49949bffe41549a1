// A store that another process serves.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as tenure from 'tenure'
import { folder } from './scratch.js'
import { canServe, serve } from './served.js'

test('an aborted wait on a served store ends at once and holds nothing', async (t) => {
  if (!canServe(t)) return
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
  if (!canServe(t)) return
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
