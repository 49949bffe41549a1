// The store's own calls, one after another.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as tenure from 'tenure'
import { folder } from './scratch.js'
import { everywhere } from './served.js'

everywhere(
  'a task goes from add to finish',
  async (store) => {
    const added = await store.add('map', 'part-1', { key: 'one' })
    assert.equal(added.text(), 'part-1')
    assert.equal(added.attempt, 0)
    const claimed = await store.claim('map', { lease: 30_000 })
    assert.equal(claimed.origin, added.id)
    assert.equal(claimed.owner, 7)
    assert.ok(claimed.id > added.id)
    assert.equal(await store.claim('map'), null)
    assert.equal(await store.finish(claimed), undefined)
    assert.deepEqual(await store.groups(), new Map())
  },
  { owner: 7 },
)

everywhere('data is bytes, text is encoded, json is made into text', async (store) => {
  assert.deepEqual((await store.add('g', new Uint8Array([255, 0]))).data, new Uint8Array([255, 0]))
  assert.deepEqual((await store.add('g', Buffer.from('buffer'))).data, new Uint8Array(Buffer.from('buffer')))
  assert.equal((await store.add('g', 'grüße \ufffd')).text(), 'grüße \ufffd')
  assert.deepEqual((await store.add('g', undefined, { json: { grüße: [1, null] } })).json(), { grüße: [1, null] })
  assert.equal((await store.add('g', undefined, { json: null })).text(), 'null')
  assert.equal((await store.add('g')).data.length, 0)
  const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  assert.deepEqual((await store.add('g', view)).data, new Uint8Array([2, 3]))
  const binary = await store.add('g', new Uint8Array([255]))
  assert.throws(() => binary.text(), TypeError)
  assert.deepEqual(
    (await store.addMany('h', ['a', new Uint8Array([98])])).map((task) => task.text()),
    ['a', 'b'],
  )
  assert.deepEqual(await store.addMany('h', []), [])
  assert.equal((await store.addMany('h', new Set(['c']))).length, 1)
})

test('every verb changes the task and keeps its origin', async () => {
  const clock = new tenure.FakeClock(1_000_000)
  const store = tenure.memory({ clock })
  const { origin } = await store.add('g', 'x')
  let task = await store.claim('g', { lease: 1000 })
  task = await store.renew(task, { lease: 5000 })
  assert.equal(task.availableAt, 1_005_000)
  task = await store.release(task, { delay: 10 })
  assert.equal(task.owner, 0)
  clock.advance(10)
  task = await store.claim('g')
  task = await store.fail(task, new RangeError('too far'), { delay: 20 })
  assert.equal(task.error, 'RangeError: too far')
  assert.equal(task.failures, 1)
  task = await store.fail(task, 'dead', { group: 'dead' })
  assert.deepEqual([task.group, task.failures], ['dead', 2])
  task = await store.moveTo(task, 'h')
  assert.equal(task.group, 'h')
  task = await store.requeue(task, { group: 'g' })
  assert.equal(task.failures, 0)
  assert.equal(task.origin, origin)
  assert.deepEqual(await store.find(origin), task)
  assert.deepEqual(await store.task(task.id), task)
  await store.cancel(task)
  assert.equal(await store.find(origin), null)
})

everywhere('tasks are listed by id, and by group and state', async (store) => {
  const [one, two] = await store.addMany('g', ['1', '2'])
  await store.add('g', '3', { delay: 1000 })
  assert.deepEqual(await store.tasks([two.id, 99, one.id]), [two, null, one])
  assert.equal((await store.tasks({ group: 'g', state: 'delayed' })).length, 1)
  assert.deepEqual(await store.tasks({ group: 'g', limit: 1, after: one.id }), [two])
  assert.equal((await store.tasks()).length, 3)
  const { oldest, ...stats } = await store.group('g')
  assert.deepEqual(stats, { name: 'g', tasks: 3, available: 2, delayed: 1, held: 0, paused: false })
  assert.equal(oldest, one.availableAt)
  await store.pause('g')
  assert.equal(await store.claim('g'), null)
  await store.pause('g', false)
  assert.notEqual(await store.claim('g'), null)
})

everywhere('records are put, read, scanned, counted and removed', async (store) => {
  const revision = await store.put('t', 'a', 'one', { expect: 0 })
  const record = await store.get('t', 'a')
  assert.equal(record.text(), 'one')
  assert.equal(record.revision, revision)
  await assert.rejects(store.put('t', 'a', 'two', { expect: 0 }), { code: 'stale_record' })
  assert.equal(await store.increment('t', 'n'), 1)
  assert.equal(await store.increment('t', 'n', 4, { max: 5 }), 5)
  await assert.rejects(store.increment('t', 'n', 1, { max: 5 }), tenure.Rejected)
  assert.deepEqual(
    (await store.scan('t', { prefix: 'a' })).map((found) => found.key),
    ['a'],
  )
  assert.deepEqual(
    (await store.scan('t', { after: 'a' })).map((found) => found.key),
    ['n'],
  )
  await store.remove('t', 'a', { expect: revision })
  assert.equal(await store.get('t', 'a'), null)
})

everywhere('an update is one piece, and takes tasks as they are', async (store) => {
  await store.add('map', 'x')
  const task = await store.claim('map')
  const committed = await store.update({
    deletes: [task],
    adds: [
      { group: 'reduce', data: 'y' },
      { group: 'reduce', json: [1] },
    ],
    increments: [{ table: 'counts', key: 'done' }],
    puts: [{ table: 't', key: 'k', value: 'v' }],
    requestId: 'once',
  })
  assert.deepEqual(committed.counts, [1])
  assert.deepEqual(
    committed.tasks.map((added) => added.text()),
    ['y', '[1]'],
  )
  assert.equal(committed.repeated, false)
  await assert.rejects(store.update({ updates: [{ task, data: 'z' }] }), (error) => {
    assert.ok(error instanceof tenure.Rejected)
    assert.equal(error.code, 'missing_task')
    assert.equal(error.details.missingUpdates[0].fate.reason, 'deleted')
    return true
  })
})

everywhere('a transaction is committed by hand, once', async (store) => {
  await store.add('g', 'x')
  const task = await store.claim('g')
  const tx = store.transaction()
  tx.finish(task)
  tx.add('h', 'y')
  tx.increment('t', 'n', 2)
  assert.equal(await tx.get('t', 'n'), null)
  assert.equal((await tx.commit()).tasks[0].text(), 'y')
  await assert.rejects(tx.commit(), tenure.Invalid)
  const other = store.transaction()
  other.add('h', 'never')
  await other[Symbol.asyncDispose]()
  await assert.rejects(other.commit(), tenure.Invalid)
  assert.equal((await store.group('h')).tasks, 1)
})

everywhere('transact runs again when a record that it read has changed', async (store) => {
  await store.put('t', 'left', '3')
  let runs = 0
  const left = await store.transact(async (tx) => {
    runs += 1
    const found = Number((await tx.get('t', 'left')).text())
    if (runs === 1) await store.put('t', 'left', '10')
    tx.put('t', 'left', String(found - 1))
    return found - 1
  })
  assert.deepEqual([runs, left], [2, 9])
  await assert.rejects(
    store.transact(
      async (tx) => {
        await tx.get('t', 'left')
        await store.increment('t', 'left')
        tx.put('t', 'left', '0')
      },
      { retries: 2 },
    ),
    { code: 'stale_record' },
  )
  assert.equal((await store.get('t', 'left')).text(), '12')
})

everywhere('what a transaction throws comes out unchanged, and leaves the store as it was', async (store) => {
  const thrown = new RangeError('no')
  for (const body of [
    () => {
      throw thrown
    },
    async () => {
      throw thrown
    },
  ]) {
    const found = await store.transact(body).then(
      () => null,
      (error) => error,
    )
    assert.equal(found, thrown)
  }
  assert.equal(await store.revision(), 0)
})

test('a store in a folder is opened again with all that was answered', async (t) => {
  const path = join(folder(t), 'store')
  const store = await tenure.open(path)
  await store.addMany('g', ['1', '2'])
  await store.snapshot()
  const stats = await store.stats()
  assert.equal(stats.tasks, 2)
  assert.ok(stats.syncs > 0)
  assert.equal(typeof stats.digest, 'bigint')
  const { revision, digest } = await store.digest()
  await store.close()
  const again = await tenure.open(pathToFileURL(path), { create: false })
  assert.deepEqual(await again.digest(), { revision, digest })
  assert.equal(again.identity, store.identity)
  await again.flush()
  await again[Symbol.asyncDispose]()
  const reader = await tenure.open(path, { readOnly: true })
  await assert.rejects(reader.add('g', 'x'), { code: 'read_only' })
  assert.equal((await reader.group('g')).tasks, 2)
  await reader.close()
  await assert.rejects(tenure.open(join(folder(t), 'nothing'), { create: false }), { code: 'no_store', kind: 'not_found' })
})

test('two handles in one program share a folder', async (t) => {
  const path = join(folder(t), 'store')
  const [one, two] = await Promise.all([tenure.open(path), tenure.open(path)])
  await one.addMany(
    'g',
    Array.from({ length: 40 }, (_, i) => String(i)),
  )
  const done = []
  const work = async (store) => {
    for (let task = await store.claim('g'); task !== null; task = await store.claim('g')) {
      await store.finish(task)
      done.push(Number(task.text()))
    }
  }
  await Promise.all([work(one), work(one), work(two), work(two)])
  assert.deepEqual(
    done.sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i),
  )
  assert.deepEqual(await one.digest(), await two.digest())
  assert.equal((await one.weak().groups()).size, 0)
  await Promise.all([one.close(), two.close()])
})

test('what is asked without awaiting is done in the order asked', async (t) => {
  const store = await tenure.open(join(folder(t), 'store'))
  const tasks = await Promise.all(Array.from({ length: 300 }, (_, i) => store.add('g', String(i))))
  assert.deepEqual(
    tasks.map((task) => task.id),
    Array.from({ length: 300 }, (_, i) => i + 1),
  )
  const { syncs } = await store.stats()
  assert.ok(syncs < 150, `${syncs} syncs for 300 adds that were in flight together`)
  await store.close()
})

test('the classes of errors are those of the catalogue', () => {
  const classes = { ...tenure }
  const names = [
    'Rejected',
    'Fenced',
    'NotFound',
    'Invalid',
    'Full',
    'Timeout',
    'Unavailable',
    'Unknown',
    'Corrupt',
    'Closed',
    'Internal',
  ]
  for (const name of names) {
    const error = new classes[name]('made by hand')
    assert.ok(error instanceof tenure.TenureError && error instanceof Error)
    assert.equal(error.name, name)
    assert.equal(String(error), `${name}: made by hand`)
    assert.equal(error.kind, name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase())
    assert.equal(typeof error.code, 'string')
  }
  assert.equal(new tenure.LeaseLost().code, 'lease_lost')
})
