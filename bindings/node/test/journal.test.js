// Journals written in JavaScript: the contracts, what they throw, rubbish, a failure at every call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tenure from 'tenure'
import { MemoryJournal } from 'tenure'

const METHODS = [
  'identity',
  'floor',
  'read',
  'append',
  'truncate',
  'publishSnapshot',
  'snapshots',
  'readSnapshot',
  'removeSnapshot',
]

/** Knows that another journal was put in its place. */
class Remade extends MemoryJournal {
  replaced = false

  #check() {
    if (!this.replaced) return
    const error = new tenure.Fenced("another journal stands in this one's place")
    error.code = 'replaced'
    throw error
  }

  floor() {
    this.#check()
    return super.floor()
  }

  read(position) {
    this.#check()
    return super.read(position)
  }

  append(position, rows) {
    this.#check()
    return super.append(position, rows)
  }
}

/** A journal each of whose methods answers with a promise, some turns of the loop later. */
function slow(journal) {
  const later =
    (call) =>
    async (...args) => {
      await new Promise((resolve) => setImmediate(resolve))
      return call(...args)
    }
  return Object.fromEntries([...METHODS, 'sizes'].map((name) => [name, later((...args) => journal[name](...args))]))
}

function remake(journal) {
  journal.replaced = true
  return new Remade()
}

test('a journal in JavaScript keeps every contract', async () => {
  const findings = await tenure.checkJournal(() => new Remade(), { remake })
  assert.ok(findings.length > 20)
  const contracts = new Set(findings.map((finding) => finding.contract))
  for (let n = 1; n < 10; n += 1) assert.ok(contracts.has(`J${n}`), `J${n}`)
  assert.deepEqual(
    findings.filter((finding) => finding.verdict !== 'kept'),
    [],
  )
})

test('so does one that answers with promises, and one that hands its rows out one by one', async () => {
  class Streamed extends MemoryJournal {
    read(position) {
      const rows = super.read(position)
      if (rows === null) return null
      return (async function* () {
        yield* rows
      })()
    }

    snapshots() {
      return new Set(super.snapshots())
    }
  }
  for (const make of [() => slow(new MemoryJournal()), () => new Streamed()]) {
    const findings = await tenure.checkJournal(make)
    assert.deepEqual(
      findings.filter((finding) => finding.verdict === 'broken'),
      [],
    )
  }
})

/** Lets one in after the other. */
class Locked extends MemoryJournal {
  queue = Promise.resolve()

  async lock() {
    const before = this.queue
    let free
    this.queue = new Promise((resolve) => {
      free = resolve
    })
    await before
    this.free = free
    return true
  }

  unlock() {
    this.free()
  }
}

test('so does one with a lock', async () => {
  const findings = await tenure.checkJournal(() => new Locked())
  assert.deepEqual(
    findings.filter((finding) => finding.verdict === 'broken'),
    [],
  )
  const journal = new Locked()
  const [one, two] = await Promise.all([tenure.open(journal), tenure.open(journal)])
  await Promise.all([one, two].flatMap((store) => Array.from({ length: 20 }, (_, i) => store.add('g', String(i)))))
  assert.equal((await one.group('g')).tasks, 40)
  await Promise.all([one.close(), two.close()])
})

test('a lock that is given too late is given back', async () => {
  const journal = new Locked()
  await journal.lock()
  const store = await tenure.open(journal, { lockWait: 20, journalTimeout: 20 })
  await assert.rejects(store.add('g', 'x'), { name: 'Timeout', outcome: 'not_started' })
  journal.unlock()
  // Whoever comes next finds it free.
  const other = await tenure.open(journal)
  await other.add('g', 'y')
  assert.equal((await other.group('g')).tasks, 1)
  await Promise.all([store.close(), other.close()])
})

test('a journal that syncs is synced before an answer, and its failure is told', async () => {
  class Synced extends MemoryJournal {
    synced = 0
    broken = null
    async sync() {
      if (this.broken) throw this.broken
      this.synced += 1
    }
  }
  const journal = new Synced()
  const store = await tenure.open(journal)
  await store.add('g', 'x')
  assert.ok(journal.synced > 0)
  journal.broken = new RangeError('the disk is gone')
  await assert.rejects(store.add('g', 'y'), { name: 'Unavailable', code: 'suspect', outcome: 'unknown' })
  journal.broken = null
  await store.add('g', 'z')
  await store.close()
})

test('the suite finds a journal that keeps no condition', async () => {
  class Careless extends MemoryJournal {
    append(_position, rows) {
      return super.append(this.floor()[0] + super.read(this.floor()[0]).length, rows)
    }
  }
  const findings = await tenure.checkJournal(() => new Careless())
  assert.ok(findings.some((finding) => finding.verdict === 'broken' && finding.why.length > 0))
})

test('stores on one journal share their tasks', async () => {
  for (const journal of [new MemoryJournal(), slow(new MemoryJournal())]) {
    const [one, two] = await Promise.all([tenure.open(journal), tenure.open(journal)])
    await one.addMany(
      'g',
      Array.from({ length: 30 }, (_, i) => String(i)),
    )
    const done = []
    const work = async (store) => {
      for (let task = await store.claim('g'); task !== null; task = await store.claim('g')) {
        await store.finish(task)
        done.push(Number(task.text()))
      }
    }
    await Promise.all([work(one), work(two), work(two)])
    assert.deepEqual(
      done.sort((a, b) => a - b),
      Array.from({ length: 30 }, (_, i) => i),
    )
    await one.snapshot()
    assert.deepEqual(await one.digest(), await two.digest())
    assert.ok((await one.stats()).journalBytes >= 0)
    await Promise.all([one.close(), two.close()])
    const again = await tenure.open(journal)
    assert.ok((await again.revision()) > 60)
    await again.close()
  }
})

/** Throws at one call; `late` does the work first. */
function failing(at, late, wrap) {
  const inside = new MemoryJournal()
  const control = { at, calls: 0, thrown: null }
  const failed =
    (name) =>
    (...args) => {
      control.calls += 1
      if (control.calls !== control.at) return inside[name](...args)
      if (late) inside[name](...args)
      control.thrown = new RangeError('the line is down')
      throw control.thrown
    }
  const journal = Object.fromEntries(METHODS.map((name) => [name, wrap(failed(name))]))
  return { control, journal }
}

const wraps = {
  'at once': (call) => call,
  'with a promise':
    (call) =>
    async (...args) =>
      call(...args),
}

for (const late of [false, true]) {
  for (const [how, wrap] of Object.entries(wraps)) {
    test(`a failure at any call, ${how}${late ? ', after the work' : ''}, leaves the state as it was acknowledged`, async () => {
      for (let at = 1; ; at += 1) {
        assert.ok(at < 200, 'it never ended')
        const { control, journal } = failing(at, late, wrap)
        const sure = new Set()
        const open = new Set()
        const same = (error) => assert.equal(error, control.thrown, `call ${at}`)
        try {
          const store = await tenure.open(journal)
          for (let i = 0; i < 6; i += 1) {
            try {
              await store.add('g', String(i))
              sure.add(String(i))
            } catch (error) {
              if (error instanceof tenure.Unknown) {
                assert.equal(error.retry, 'with_same_request_id')
                same(error.cause)
                open.add(String(i))
              } else {
                same(error)
              }
            }
            if (i === 3) await store.snapshot().catch(same)
          }
          await store.close()
        } catch (error) {
          same(error)
        }
        control.at = 0
        const store = await tenure.open(journal)
        const found = new Set((await store.tasks({ group: 'g' })).map((task) => task.text()))
        await store.close()
        for (const data of sure) assert.ok(found.has(data), `call ${at}: ${data} was acknowledged`)
        for (const data of found) assert.ok(sure.has(data) || open.has(data), `call ${at}: ${data} was refused`)
        if (control.thrown === null) {
          assert.ok(at > 10)
          break
        }
      }
    })
  }
}

test('an error that says so is sure that nothing is there', async () => {
  class Down extends MemoryJournal {
    down = false
    append(position, rows) {
      if (this.down) throw new tenure.Unavailable('the line is down: try later')
      return super.append(position, rows)
    }
  }
  const journal = new Down()
  const store = await tenure.open(journal)
  journal.down = true
  await assert.rejects(store.add('g', 'x'), (error) => {
    assert.ok(error instanceof tenure.Unavailable)
    assert.match(error.message, /the line is down/)
    assert.equal(error.outcome, 'refused')
    return true
  })
  journal.down = false
  await store.add('g', 'y')
  assert.deepEqual(
    (await store.tasks({ group: 'g' })).map((task) => task.text()),
    ['y'],
  )
  await store.close()
})

const RUBBISH = [
  undefined,
  null,
  5,
  'x',
  [1],
  [[1, 'x']],
  ['a', new Uint8Array()],
  {},
  () => {},
  Symbol('s'),
  [-1, new Uint8Array()],
]

for (const method of ['identity', 'floor', 'read', 'append', 'snapshots', 'readSnapshot']) {
  test(`rubbish from ${method} is refused with the method that gave it`, async () => {
    for (const answer of RUBBISH) {
      // These are answers.
      if ((method === 'read' || method === 'readSnapshot') && answer == null) continue
      const journal = new MemoryJournal()
      const filled = await tenure.open(journal)
      await filled.add('g', 'x')
      await filled.snapshot()
      await filled.close()
      journal[method] = () => answer
      const use = async () => {
        const store = await tenure.open(journal)
        await store.add('g', 'y')
        await store.snapshot()
      }
      await assert.rejects(use(), (error) => {
        const said = error instanceof TypeError ? error : error.cause
        assert.ok(error instanceof TypeError || error instanceof tenure.TenureError)
        assert.match(said.message, new RegExp(`${method}\\(\\) answered`))
        return true
      })
    }
  })
}

test('what is no journal is refused', async () => {
  await assert.rejects(tenure.open({}), { name: 'TypeError', message: /has no identity, floor, read/ })
  class Nameless extends MemoryJournal {
    identity() {
      return new Uint8Array(5)
    }
  }
  await assert.rejects(tenure.open(new Nameless()), { name: 'TypeError', message: /the 16 bytes/ })
  await assert.rejects(tenure.open(new Proxy({}, { get: () => { throw new RangeError('mine') } })), RangeError) // biome-ignore format: one line says it
})

for (const method of METHODS.filter((name) => name !== 'removeSnapshot' && name !== 'truncate')) {
  test(`a journal whose ${method} never answers ends in a time limit`, async () => {
    const journal = new MemoryJournal()
    const filled = await tenure.open(journal)
    await filled.add('g', 'x')
    await filled.snapshot()
    await filled.close()
    journal[method] = () => new Promise(() => {})
    const use = async () => {
      const store = await tenure.open(journal, { journalTimeout: 50 })
      await store.add('g', 'y')
      await store.snapshot()
    }
    await assert.rejects(use(), (error) => {
      assert.ok(error instanceof tenure.TenureError)
      const said = error instanceof tenure.Timeout ? error : (error.cause ?? error)
      assert.match(said.message, new RegExp(`${method}\\(\\) gave no answer within 50 ms`))
      return true
    })
  })
}

test('an answer that comes too late changes nothing', async () => {
  class Late extends MemoryJournal {
    gate = null
    append(position, rows) {
      if (this.gate === null) return super.append(position, rows)
      return this.gate.then(() => super.append(position, rows))
    }
  }
  const journal = new Late()
  const store = await tenure.open(journal, { journalTimeout: 50 })
  let open
  journal.gate = new Promise((resolve) => { open = resolve }) // biome-ignore format: one line says it
  const unknown = await store.add('g', 'x', { requestId: 'once' }).catch((error) => error)
  assert.equal(unknown.outcome, 'unknown')
  open()
  journal.gate = null
  // A repeat with the same id is answered once and for all.
  const task = await store.add('g', 'x', { requestId: 'once' })
  assert.equal(task.group, 'g')
  assert.equal((await store.group('g')).tasks, 1)
  await store.close()
})

test('a store on a journal can be let go of without a close', async () => {
  const journal = new MemoryJournal()
  for (let i = 0; i < 20; i += 1) await (await tenure.open(journal)).add('g', 'x')
  globalThis.gc?.()
  const store = await tenure.open(journal)
  assert.equal((await store.group('g')).tasks, 20)
  await store.close()
})
