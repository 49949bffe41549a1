// What waits: claims, held leases, watches; and what ends a wait.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import * as tenure from 'tenure'
import { folder } from './scratch.js'

const START = 1_000_000

/** A store whose clock stands still. */
function standing(options) {
  const clock = new tenure.FakeClock(START)
  return { clock, store: tenure.memory({ clock, ...options }) }
}

/** Settles once `so` does: what is awaited happens on another thread. */
async function until(so) {
  const limit = Date.now() + 20_000
  while (!(await so())) {
    assert.ok(Date.now() < limit, 'it never came true')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a claim waits for a task, and is woken by its add', async () => {
  const { store } = standing()
  const claimed = store.claim('g', { wait: null })
  await store.add('g', 'x')
  assert.equal((await claimed).text(), 'x')
})

test('a claim waits for ever where it is told so, and by a clock that is advanced', async () => {
  const { store, clock } = standing()
  await store.add('g', 'later', { delay: 5000 })
  const claimed = store.claim('g', { wait: Number.POSITIVE_INFINITY })
  const none = store.claim('g', { wait: 1000 })
  await until(async () => {
    clock.advance(100)
    return clock.now() > START + 4000
  })
  assert.equal(await none, null)
  clock.set(START + 5000)
  assert.equal((await claimed).text(), 'later')
})

test('a lease runs out when the clock is advanced', async () => {
  const { store, clock } = standing()
  await store.add('g', 'x')
  const first = await store.claim('g', { lease: 1000 })
  clock.advance(1000)
  const second = await store.claim('g', { owner: 5 })
  assert.equal(second.attempt, 2)
  await assert.rejects(store.finish(first), (error) => {
    assert.ok(error instanceof tenure.LeaseLost && error instanceof tenure.Rejected)
    assert.equal(error.details.missingDeletes[0].lost, true)
    assert.equal(error.details.missingDeletes[0].fate.nowId, second.id)
    return true
  })
})

test('a signal ends a wait with its reason, and nothing is held', async () => {
  const { store } = standing()
  const calls = [
    (signal) => store.claim('g', { wait: null, signal }),
    (signal) => store.claimMany('g', { limit: 5, wait: null, signal }),
    (signal) => store.waitEmpty('full', { signal }),
  ]
  await store.add('full', 'x')
  for (const call of calls) {
    const controller = new AbortController()
    const waiting = call(controller.signal)
    await store.revision()
    const reason = new Error('enough')
    controller.abort(reason)
    assert.equal(
      await waiting.then(
        () => null,
        (error) => error,
      ),
      reason,
    )
    const before = AbortSignal.abort()
    await assert.rejects(call(before), { name: 'AbortError' })
    await assert.rejects(call(AbortSignal.timeout(1)), { name: 'TimeoutError' })
  }
  await store.add('g', 'x')
  assert.equal((await store.group('g')).available, 1)
})

test('a task that comes as the wait is ended is held by nobody', async () => {
  const { store } = standing()
  for (let i = 0; i < 50; i += 1) {
    const controller = new AbortController()
    const waiting = store.claim('g', { wait: null, signal: controller.signal })
    const added = store.add('g', String(i))
    if (i % 2) await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    const claimed = await waiting.catch((error) => {
      assert.equal(error.name, 'AbortError')
      return null
    })
    await added
    if (claimed === null) assert.equal((await store.group('g')).available, 1, 'it was given back')
    await store.update({ deletes: (await store.tasks()).map((task) => ({ id: task.id, force: true })) })
  }
})

test('hundreds of claims wait at once, and all else goes on', async () => {
  const { store } = standing()
  const claimed = Array.from({ length: 200 }, () => store.claim('g', { wait: null }))
  assert.equal(await store.put('t', 'k', 'v'), 1)
  await store.addMany(
    'g',
    Array.from({ length: 200 }, (_, i) => String(i)),
  )
  const texts = (await Promise.all(claimed)).map((task) => Number(task.text()))
  assert.deepEqual(
    texts.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i),
  )
})

test('claims go on until nothing comes, and run finishes or fails each', async () => {
  const { store } = standing()
  await store.addMany('g', ['a', 'bad', 'c'])
  const seen = []
  const thrown = new Error('bad one')
  for await (const held of store.claims('g', { idle: 0, order: 'oldest' })) {
    assert.ok(held instanceof tenure.Held)
    seen.push(held.text())
    const work = async () => {
      if (held.text() === 'bad' && held.task.attempt < 2) throw thrown
      return held.data.length
    }
    const done = await held.run(work).catch((error) => error)
    assert.ok(done === thrown || done === held.data.length)
    assert.equal(held.ended, true)
  }
  assert.deepEqual(seen.sort(), ['a', 'bad', 'bad', 'c'])
  assert.equal(await store.waitEmpty('g', { timeout: 0 }), true)
})

test('whatever the work throws fails the task', async () => {
  const { store } = standing()
  const thrown = [5, 'text', null, undefined, { toString: 5 }, new Error('x\ud800'), Symbol('s')]
  for (const what of thrown) {
    await store.add('g', 'x')
    const { value: held } = await store.claims('g').next()
    const found = await held
      .run(() => {
        throw what
      })
      .then(
        () => assert.fail(),
        (error) => error,
      )
    assert.equal(found, what)
    const task = await store.find(held.task.origin)
    assert.equal(task.failures, 1)
    assert.equal(typeof task.error, 'string')
    await store.cancel(task)
  }
})

test('many reads at once share a few threads', { skip: process.platform !== 'linux' && 'threads are counted on Linux' }, () => {
  const program = `
    import { readdirSync } from 'node:fs'
    import { memory } from 'tenure'
    const store = memory()
    await store.put('t', 'k', 'v')
    const before = readdirSync('/proc/self/task').length
    const found = await Promise.all(Array.from({ length: 5000 }, () => store.get('t', 'k')))
    const more = readdirSync('/proc/self/task').length - before
    console.log(found.every((record) => record.text() === 'v') && more <= 16)
  `
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: import.meta.dirname, timeout: 30_000 })
  assert.equal(String(done.stdout), 'true\n', String(done.stderr))
})

test('claims end by their signal, by return, and by close', async () => {
  const { store } = standing()
  const controller = new AbortController()
  const claims = store.claims('g', { signal: controller.signal })
  const waiting = claims.next()
  controller.abort()
  assert.deepEqual(await waiting, { done: true, value: undefined })
  assert.deepEqual(await claims.next(), { done: true, value: undefined })
  const other = store.claims(['g', 'h'])
  const next = other.next()
  await other.return()
  assert.equal((await next).done, true)
  const last = assert.rejects(store.claims('g').next(), tenure.Closed)
  await store.revision()
  await store.close()
  await last
})

test('a held task notes, saves, renews, and is given back', async () => {
  const { store, clock } = standing()
  await store.add('g', 'x')
  const held = await store.hold(await store.claim('g', { lease: 3000 }), { lease: 3000 })
  const { id, origin } = held.task
  await held.note('half')
  await held.save('y')
  assert.equal(held.text(), 'y')
  assert.equal(held.task.error, 'half')
  assert.ok(held.task.id > id)
  assert.equal(held.task.origin, origin)
  // The lease renews itself: by its end it has moved on.
  for (let i = 0; i < 10; i += 1) {
    const before = held.task.availableAt
    clock.advance(1500)
    await until(() => held.task.availableAt > before)
  }
  assert.equal(held.lost, false)
  await held.renew()
  await held.check()
  await held.release({ delay: 10 })
  assert.equal(held.ended, true)
  await assert.rejects(held.finish(), tenure.Invalid)
  assert.equal((await store.find(origin)).owner, 0)
})

test('a held task is a subject, and knows its present id', async () => {
  const { store } = standing()
  for (const [what, end] of [
    ['finish', (held) => store.finish(held)],
    ['fail', (held) => store.fail(held, 'no')],
    ['release', (held) => store.release(held)],
    ['cancel', (held) => store.cancel(held)],
    ['move', (held) => store.moveTo(held, 'other')],
    ['requeue', (held) => store.requeue(held)],
    ['transact', (held) => store.transact((tx) => tx.finish(held))],
    ['update', (held) => store.update({ deletes: [held] })],
  ]) {
    await store.add(what, 'x')
    const { value: held } = await store.claims(what).next()
    assert.equal((await store.renew(held)).id, held.task.id)
    await held.note('on the way')
    await end(held)
    assert.equal((await store.group(what)).held, 0, what)
  }
})

test('changes of many held tasks at once share syncs, and those of one follow one another', async (t) => {
  const store = await tenure.open(join(folder(t), 's'))
  await store.addMany('g', new Array(64).fill('x'))
  const tasks = await store.claimMany('g', { limit: 64 })
  const held = await Promise.all(tasks.map((task) => store.hold(task)))
  const before = (await store.stats()).syncs
  await Promise.all(held.map((one) => one.note('begun')))
  await Promise.all(held.map((one) => store.finish(one)))
  assert.ok((await store.stats()).syncs - before < 64)
  assert.equal((await store.group('g')).tasks, 0)
  // Without an await between them: each names the id that the one before gave.
  await store.add('g', 'y')
  const { value: one } = await store.claims('g').next()
  await Promise.all([one.note('begun'), one.save('z'), one.renew(), one.finish()])
  assert.equal(one.ended, true)
  await assert.rejects(one.note('late'), tenure.Invalid)
  assert.equal((await store.group('g')).tasks, 0)
  await store.close()
})

test('a lost lease aborts its signal', async () => {
  const journal = new tenure.MemoryJournal()
  const [store, other] = [await tenure.open(journal), await tenure.open(journal)]
  const { id } = await store.add('g', 'x')
  const { value: held } = await store.claims('g').next()
  assert.equal(held.signal.aborted, false)
  const aborted = new Promise((resolve) => held.signal.addEventListener('abort', resolve))
  await other.cancel(await other.find(id), { force: true })
  await assert.rejects(held.renew(), tenure.LeaseLost)
  await aborted
  assert.ok(held.signal.reason instanceof tenure.LeaseLost)
  assert.equal(held.lost, true)
  await assert.rejects(held.check(), tenure.LeaseLost)
  await assert.rejects(store.finish(held), tenure.LeaseLost)
  await assert.rejects(
    store.transact((tx) => tx.finish(held)),
    tenure.LeaseLost,
  )
  await held[Symbol.asyncDispose]()
  await Promise.all([store.close(), other.close()])
})

test('disposing of a held task gives it back', async () => {
  const { store } = standing()
  await store.add('g', 'x')
  const { value: held } = await store.claims('g').next()
  await held[Symbol.asyncDispose]()
  assert.equal((await store.claim('g')).attempt, 2)
  await held[Symbol.asyncDispose]()
})

test('a watch tells what is committed, by this handle and by others', async (t) => {
  const path = join(folder(t), 'store')
  const [store, other] = [await tenure.open(path, { actor: 'me' }), await tenure.open(path, { actor: 'you' })]
  const watch = await store.watch()
  await store.add('g', 'x', { key: 'k', requestId: 'r' })
  await other.put('t', 'k', 'v')
  const { value: added } = await watch.next()
  assert.equal(added.actor, 'me')
  assert.equal(added.requestId, 'r')
  assert.deepEqual(
    added.changes.map(({ kind, place, key, id }) => [kind, place, key, id]),
    [['added', 'g', 'k', 1]],
  )
  const { value: put } = await watch.next()
  assert.deepEqual([put.actor, put.changes[0].kind, put.changes[0].reason], ['you', 'put', null])
  const waiting = watch.next()
  await watch.return()
  assert.equal((await waiting).done, true)
  const short = await store.watch({ timeout: 1 })
  for await (const event of short) assert.fail(`nothing was to come, and ${event.revision} came`)
  const controller = new AbortController()
  const ended = await store.watch({ signal: controller.signal })
  const none = ended.next()
  controller.abort()
  assert.equal((await none).done, true)
  const closing = assert.rejects((await store.watch()).next(), tenure.Closed)
  await store.close()
  await closing
  await other.close()
})

test('a program ends once nothing is asked, whatever is open', () => {
  const program = `
    import { memory, open } from 'tenure'
    const store = memory()
    await store.add('g', 'x')
    const { value: held } = await store.claims('g').next()
    const watch = await store.watch()
    globalThis.kept = [store, held, watch]
    console.log('over')
  `
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: import.meta.dirname, timeout: 30_000 })
  assert.equal(String(done.stdout), 'over\n')
  assert.equal(done.status, 0, String(done.stderr))
})

test('a wait keeps the program alive', () => {
  const program = `
    import { FakeClock, memory } from 'tenure'
    const store = memory()
    store.claim('g', { wait: 50 }).then((task) => console.log(task))
  `
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: import.meta.dirname, timeout: 30_000 })
  assert.equal(String(done.stdout), 'null\n', String(done.stderr))
})

test('a worker thread has its own, and may end in the middle of a wait', async () => {
  const { Worker } = await import('node:worker_threads')
  const program = `
    import { parentPort } from 'node:worker_threads'
    import { memory } from 'tenure'
    const store = memory()
    await store.add('g', 'x')
    store.claim('other', { wait: null })
    store.transact(() => new Promise(() => {}))
    parentPort.postMessage((await store.claim('g')).text())
  `
  const url = new URL(
    `data:text/javascript,${encodeURIComponent(program.replaceAll("'tenure'", `'${import.meta.resolve('tenure')}'`))}`,
  )
  const worker = new Worker(url)
  const text = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
  assert.equal(text, 'x')
  await worker.terminate()
  const store = tenure.memory()
  await store.add('g', 'still here')
})

test('the loop runs on while a store waits for the lock', {
  skip: process.platform !== 'linux' && 'flock holds the lock',
}, async (t) => {
  const path = join(folder(t), 'store')
  const store = await tenure.open(path)
  const other = spawn('flock', [join(path, 'lock'), '-c', 'echo held; cat'])
  t.after(() => other.kill())
  await new Promise((resolve) => other.stdout.once('data', resolve))
  let answered = false
  const asked = [store.add('g', 'x'), store.claim('g'), store.get('t', 'k'), store.stats(), tenure.open(path)]
  const all = Promise.all(asked).then((answers) => {
    answered = true
    return answers
  })
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.equal(answered, false)
  other.stdin.end()
  const [added, , , , again] = await all
  assert.equal(added.text(), 'x')
  await Promise.all([store.close(), again.close()])
})
