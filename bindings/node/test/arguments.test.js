// Arguments that can't be right: an error of the right class each time, and nothing written.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tenure from 'tenure'

const MiB = 1024 * 1024

/** Text in no message: what a fault of the native part would say. */
const FAULTS = /panick|unwrap|napi|thread '|src\/|\.rs\b/i

async function refused(call, expected) {
  const error = await (async () => call())().then(
    () => assert.fail(`nothing was thrown by ${call}`),
    (thrown) => thrown,
  )
  assert.ok(error instanceof expected, `${call}: ${error?.constructor?.name}: ${error?.message}`)
  assert.doesNotMatch(error.message, FAULTS, String(call))
  assert.ok(error.message.length > 8, `${call} says too little: ${error.message}`)
  if (error instanceof tenure.TenureError) assert.equal(error.outcome, 'not_started')
}

for (const lease of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, 31 * 86_400_000]) {
  test(`a lease of ${lease} is invalid`, async () => {
    const store = tenure.memory()
    const task = await store.add('g', 'x')
    for (const call of [
      () => store.claim('g', { lease }),
      () => store.claim('g', { lease, wait: null }),
      () => store.claimMany('g', { limit: 1, lease }),
      () => store.renew(task, { lease }),
      () => store.claims('g', { lease }).next(),
    ]) {
      await refused(call, tenure.Invalid)
    }
  })
}

test('a delay that can not be is invalid', async () => {
  const store = tenure.memory()
  for (const delay of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
    await refused(() => store.add('g', 'x', { delay }), tenure.Invalid)
    await refused(() => store.add('g', 'x', { availableAt: delay }), tenure.Invalid)
  }
  assert.equal(await store.revision(), 0)
})

test('a wrong type is a TypeError', async () => {
  const store = tenure.memory()
  const detached = new Uint8Array([1, 2, 3])
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const hostile = { get id() { throw new TypeError('a getter of the caller') } } // biome-ignore format: one line says it
  const wrong = [
    () => store.add(5, 'x'),
    () => store.add(undefined, 'x'),
    () => store.add('g', 5),
    () => store.add('g', {}),
    () => store.add('g', ['x']),
    () => store.add('g', new Uint16Array(2)),
    () => store.add('g', new DataView(new ArrayBuffer(2))),
    () => store.add('g', new ArrayBuffer(2)),
    () => store.add('g', detached),
    () => store.add('g', Symbol('x')),
    () => store.add('g', 5n),
    () => store.add('g', 'x', 5),
    () => store.add('g', 'x', []),
    () => store.add('g', 'x', { delay: '1' }),
    () => store.add('g', 'x', { key: 5 }),
    () => store.add('g', undefined, { json: () => 1 }),
    () => store.add('g', undefined, { json: 5n }),
    () => store.addMany('g', 5),
    () => store.addMany('g', 'xy'),
    () => store.addMany('g', ['x', 5]),
    () => store.claim(5),
    () => store.claim(['g', 5]),
    () => store.claim('g', { wait: '1' }),
    () => store.claim('g', { signal: 5 }),
    () => store.claim('g', { depends: 5 }),
    () => store.claims('g', { signal: {} }),
    () => store.claims('g', { idle: 'x' }).next(),
    () => store.finish('x'),
    () => store.finish(null),
    () => store.finish({}),
    () => store.finish([]),
    () => store.finish(hostile),
    () => store.fail(1, 5),
    () => store.hold(5),
    () => store.hold({}),
    () => store.cancel(1, { force: 1 }),
    () => store.update(5),
    () => store.update({ adds: 5 }),
    () => store.update({ adds: [5] }),
    () => store.update({ adds: [{ group: 5 }] }),
    () => store.update({ deletes: ['x'] }),
    () => store.transact(5),
    () => store.put('t', 'k', 5),
    () => store.put('t', 'k'),
    () => store.get('t', 5),
    () => store.increment('t', 'k', '1'),
    () => store.tasks('x'),
    () => store.tasks(['x']),
    () => store.watch({ timeout: 'x' }),
    () => store.watch({ signal: 5 }),
    () => store.waitEmpty('g', { timeout: 'x' }),
    () => store.transaction().add('g', 5),
    () => store.transaction().finish('x'),
    () => tenure.open(5),
    () => tenure.open(),
    () => tenure.open({}),
    () => tenure.open('x', 5),
    () => tenure.open(new URL('https://example.org/')),
    () => tenure.memory(5),
    () => tenure.memory({ clock: 5 }),
    () => tenure.memory({ owner: 'x' }),
    () => tenure.checkJournal(5),
    () => new tenure.FakeClock('x'),
    () => new tenure.Store(),
    () => new tenure.Store({}),
    () => new tenure.Task(),
    () => tenure.Store.prototype.add.call({}, 'g'),
  ]
  for (const call of wrong) await refused(call, TypeError)
  assert.equal(await store.revision(), 0)
})

test('a wrong value is invalid', async () => {
  const store = tenure.memory()
  const long = 'x'.repeat(16 * MiB + 1)
  const wrong = [
    () => store.add('g', 'x', { json: 1 }),
    () => store.add('g', 'x', { delay: 1, availableAt: 5 }),
    () => store.add('g', 'x', { ifExists: 'maybe' }),
    () => store.add('g', 'x', { colour: 'red' }),
    () => store.add('', 'x'),
    () => store.add('g'.repeat(256), 'x'),
    () => store.add('g', long),
    () => store.add('g', new Uint8Array(16 * MiB + 1)),
    () => store.add(long, 'x'),
    () => store.add('g', '\ud800'),
    () => store.add('g', 'x\udc00y'),
    () => store.add('\ud800', 'x'),
    () => store.add('g', 'x', { key: 'a\ud83d' }),
    () => store.fail(1, '\ud800'),
    () => store.put('t', '\udfff', 'x'),
    () => store.claim([]),
    () => store.claim('g', { order: 'newest' }),
    () => store.claim('g', { wait: -1 }),
    () => store.claim('g', { wait: Number.NaN }),
    () => store.claim('g', { limit: 2 }),
    () => store.claim('g', { owner: 2 ** 53 }),
    () => store.claimMany('g', {}),
    () => store.claimMany('g'),
    () => store.claimMany('g', { limit: 0 }),
    () => store.claimMany('g', { limit: 1e6 }),
    () => store.claimMany('g', { limit: 1.5 }),
    () => store.finish(-1),
    () => store.finish(1.5),
    () => store.finish(Number.NaN),
    () => store.finish(2 ** 53),
    () => store.tasks({ state: 'gone' }),
    () => store.tasks([Number.NaN]),
    () => store.increment('t', 'k', 0.5),
    () => store.increment('t', 'k', 2 ** 53),
    () => store.update({}),
    () => store.update(),
    () => store.update({ adds: [{ group: 'g', colour: 'red' }] }),
    () => store.update({ adds: [{}] }),
    () => store.update({ updates: [{}] }),
    () => store.update({ depends: [1], dependsOnly: false }),
    () => store.update({ depends: [{}] }),
    () => store.update({ deletes: [{}] }),
    () => store.watch({ colour: 1 }),
    () => tenure.memory({ limits: { colour: 1 } }),
    () => tenure.memory({ owner: 0 }),
    () => tenure.memory({ owner: 2 ** 53 }),
    () => tenure.memory({ colour: 1 }),
    () => tenure.open('x', { durability: 'perhaps' }),
    () => tenure.open('\ud800'),
    () => new tenure.FakeClock(-1),
    () => new tenure.FakeClock(1).advance(Number.NaN),
  ]
  for (const call of wrong) await refused(call, tenure.Invalid)
  assert.equal(await store.revision(), 0)
})

test('the place of a mistake is named', async () => {
  const store = tenure.memory()
  const message = (call) => call().then(() => assert.fail(), (error) => error.message) // biome-ignore format: one line says it
  assert.match(
    await message(() => store.update({ adds: [{ group: 'g' }, { group: 'g', colour: 1 }] })),
    /^adds\[1\]: unknown field 'colour'/,
  )
  assert.match(await message(() => store.update({ adds: [{ group: 5 }] })), /^adds\[0\]\.group: give a string, not a number/)
  assert.match(await message(() => store.addMany('g', ['x', 5])), /^items\[1\]: give a string or a Uint8Array/)
  assert.match(await message(() => store.claim('g', { lease: '1' })), /^options\.lease: give a number, not a string/)
})

test('what a getter of the caller throws comes out', async () => {
  const store = tenure.memory()
  const thrown = new RangeError('mine')
  const options = Object.defineProperty({}, 'delay', { enumerable: true, get: () => { throw thrown } }) // biome-ignore format: one line says it
  assert.equal(await store.add('g', 'x', options).catch((error) => error), thrown)
  assert.equal(await store.revision(), 0)
})

test('an empty string, an astral letter and U+FFFD are text', async () => {
  const store = tenure.memory()
  for (const text of ['', '😀', '\ufffd', 'a\u0000b', '\ufeffx']) {
    assert.equal((await store.add('g', text)).text(), text)
  }
})

test('a store that is closed says so in every call', async () => {
  const store = tenure.memory()
  const task = await store.add('g', 'x')
  const claimed = store.claims('g')
  const { value: held } = await claimed.next()
  const watch = await store.watch()
  await store.close()
  await store.close()
  const calls = [
    () => store.add('g', 'x'),
    () => store.addMany('g', ['x']),
    () => store.claim('g'),
    () => store.claim('g', { wait: null }),
    () => store.finish(task),
    () => store.finish(held),
    () => held.renew(),
    () => held.note('x'),
    () => store.get('t', 'k'),
    () => store.groups(),
    () => store.tasks(),
    () => store.flush(),
    () => store.snapshot(),
    () => store.stats(),
    () => store.watch(),
    () => store.waitEmpty('g'),
    () => store.weak().get('t', 'k'),
    () => store.transact((tx) => tx.add('g')),
    () => store.transaction().get('t', 'k'),
    () => claimed.next(),
    () => watch.next(),
  ]
  for (const call of calls) await refused(call, tenure.Closed)
  assert.equal(typeof store.owner, 'number')
  assert.equal(typeof store.now(), 'number')
})

test('calls that are refused among others that are under way leave each its own answer', async () => {
  const store = tenure.memory()
  const asked = []
  for (let n = 0; n < 2000; n += 1) {
    asked.push(store.add('g', String(n)).then((task) => assert.equal(task.text(), String(n))))
    asked.push(refused(() => store.add('g', 'x', { delay: -1 }), tenure.Invalid))
    asked.push(store.get('t', String(n)).then((record) => assert.equal(record, null)))
    asked.push(refused(() => store.finish(0), tenure.Invalid))
    if (n % 100 === 0) await Promise.all(asked.splice(0))
  }
  await Promise.all(asked)
})
