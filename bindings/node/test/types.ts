// What the types promise, checked by `tsc -p .`; nothing here is run.

import {
  type Committed,
  FakeClock,
  type Held,
  type Journal,
  LeaseLost,
  MemoryJournal,
  memory,
  open,
  type Store,
  type Task,
  TenureError,
} from 'tenure'

export async function worker(signal: AbortSignal): Promise<void> {
  const store: Store = await open('work.tenure', { durability: 'opportunistic', lockWait: 1000 })
  const task: Task = await store.add('map', new Uint8Array([1]), { key: 'one', ifExists: 'keep', requestId: 'r' })
  const claimed: Task | null = await store.claim(['map', 'other'], { wait: null, signal, depends: [task, { origin: 1 }] })
  if (claimed !== null) await store.fail(claimed, new Error('no'), { delay: 5 })
  for await (const held of store.claims('map', { lease: 60_000, signal })) {
    const length: number = await held.run(async (inner: Held) => inner.data.length)
    held.signal.throwIfAborted()
    await store.transact(async (tx) => {
      const record = await tx.get('t', 'k')
      tx.finish(held)
      tx.put('t', 'k', record?.text() ?? String(length))
    })
  }
  const { tasks, counts }: Committed = await store.update({
    adds: [{ group: 'g', json: { a: 1 } }],
    updates: [
      { task: 5, data: 'x' },
      { id: 5, verb: 'renew', lease: 1000 },
    ],
    deletes: [5, task, { id: 5, reason: 'failed' }],
    increments: [{ table: 't', key: 'n', by: 2, max: 5 }],
  })
  tasks.map((added) => added.text()).concat(counts.map(String))
  const some: (Task | null)[] = await store.tasks([1, 2])
  const page: Task[] = await store.tasks({ group: 'g', state: 'held' })
  const names: string[] = [...(await store.groups()).keys()]
  const watch = await store.watch({ timeout: 10, signal })
  for await (const event of watch) event.changes.map((change) => change.kind)
  await store.close()
  await Promise.all([some, page, names])
  // @ts-expect-error: there is no such option.
  await open('x', { durable: true })
  // @ts-expect-error: a number is no data.
  await store.add('g', 5)
  // @ts-expect-error: a limit is asked for.
  await store.claimMany('g', {})
}

export async function tested(): Promise<void> {
  await using store = memory({ clock: new FakeClock(5), limits: { maxTasks: 5 } })
  try {
    await store.finish(1)
  } catch (error) {
    if (error instanceof LeaseLost) error.details.missingDeletes?.length
    else if (error instanceof TenureError && error.retry === 'later') throw error
  }
}

// A journal may answer with promises, and need not have what is optional.
class Slow implements Journal {
  #inside = new MemoryJournal()
  async identity() {
    return this.#inside.identity()
  }
  async floor() {
    return this.#inside.floor()
  }
  async *#rows(position: number) {
    yield* this.#inside.read(position) ?? []
  }
  read(position: number) {
    return this.#rows(position)
  }
  async append(position: number, rows: Uint8Array[]) {
    return this.#inside.append(position, rows)
  }
  truncate(floor: number, mark: Uint8Array) {
    this.#inside.truncate(floor, mark)
  }
  publishSnapshot(name: string, data: Uint8Array) {
    this.#inside.publishSnapshot(name, data)
  }
  snapshots() {
    return new Set(this.#inside.snapshots())
  }
  readSnapshot(name: string) {
    return this.#inside.readSnapshot(name)
  }
  removeSnapshot(name: string) {
    this.#inside.removeSnapshot(name)
  }
}
export const slow: Promise<Store> = open(new Slow())
