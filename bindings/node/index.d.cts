import type { Journal } from './types/journal.cjs'

export * from './types/error.cjs'
export * from './types/journal.cjs'

/** Milliseconds: a span, or a time since the Epoch. */
export type Millis = number

/** Bytes, or text that is encoded as UTF-8. */
export type Data = string | Uint8Array

/** One group, or several, an earlier one before a later one. */
export type Groups = string | readonly string[]

/** What names a task: the task, its id, or a held task, which knows its present id. */
export type Subject = Task | Held | number

/** A piece of work. It never changes: any change gives the task a new, higher id. */
export class Task {
  private constructor()
  /** The present id. */
  readonly id: number
  /** The id of the add that began it; it stays through every change. */
  readonly origin: number
  /** The group that it belongs to. */
  readonly group: string
  /** Unique within the group among live tasks. */
  readonly key: string | null
  /** When it can be claimed; while it is held, when the lease ends. */
  readonly availableAt: Millis
  /** When the add that began it was committed. */
  readonly addedAt: Millis
  /** Who claimed it last, 0 for nobody or since it was released. */
  readonly owner: number
  /** How often it was claimed. */
  readonly attempt: number
  /** How often its claimant said that it failed. */
  readonly failures: number
  /** The text of the last failure. */
  readonly error: string | null
  /** The work itself. */
  readonly data: Uint8Array
  /** Its data as text. A `TypeError` where it is none. */
  text(): string
  /** What its data, which is JSON, decodes to. */
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse has it.
  json(): any
}

/** A keyed value with the revision that last wrote it. */
export class Record {
  private constructor()
  readonly table: string
  readonly key: string
  readonly value: Uint8Array
  /** The revision that last wrote it. */
  readonly revision: number
  /** From when it is hidden, if ever. */
  readonly expiresAt: Millis | null
  /** Its value as text. A `TypeError` where it is none. */
  text(): string
  /** What its value, which is JSON, decodes to. */
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse has it.
  json(): any
}

/** What is known of a group at one moment. */
export interface GroupStats {
  readonly name: string
  /** All its tasks. */
  readonly tasks: number
  /** Those that anyone may claim. */
  readonly available: number
  /** Those whose time is still to come. */
  readonly delayed: number
  /** Those that somebody holds. */
  readonly held: number
  /** Since when the oldest of the available ones waits. */
  readonly oldest: Millis | null
  /** Whether claims skip it. */
  readonly paused: boolean
}

/** What a transaction answers. */
export interface Committed {
  /** The revision that it became. */
  readonly revision: number
  /** The new tasks: adds first, then updates, in the order asked. */
  readonly tasks: Task[]
  /** The numbers that the increments left, in the order asked. */
  readonly counts: number[]
  /** Whether this is the first outcome of an earlier request with the same id. */
  readonly repeated: boolean
}

/** One thing that an entry changed. */
export interface Change {
  readonly kind: 'added' | 'replaced' | 'changed' | 'removed' | 'put' | 'record_removed'
  /** The task's new id, 0 for a record or a task that is gone. */
  readonly id: number
  /** The task's id until now, 0 for a new one. */
  readonly old: number
  /** The task's group, empty where the entry does not say it, or the record's table. */
  readonly place: string
  /** The task's or the record's key. */
  readonly key: string | null
  /** Why a task is gone. */
  readonly reason: string | null
  /** Who claimed the task, 0 for nobody. */
  readonly owner: number
  /** When the task can be claimed, or until when it is held. */
  readonly availableAt: Millis
}

/** One committed entry, by whichever handle. */
export interface Event {
  readonly revision: number
  /** When it was committed, by the clock of the handle that did. */
  readonly at: Millis
  /** Who asked. */
  readonly owner: number
  /** The label of who did it. */
  readonly actor: string
  readonly requestId: string | null
  readonly changes: Change[]
}

/** Numbers about a store and this handle. */
export interface Stats {
  readonly revision: number
  readonly nextId: number
  readonly tasks: number
  readonly records: number
  readonly groups: number
  readonly requests: number
  readonly stateBytes: number
  readonly maxStateBytes: number
  readonly level: number
  readonly exclusive: number
  readonly skipped: number
  readonly clockAhead: Millis
  readonly journalBytes: number
  readonly snapshotBytes: number
  readonly segments: number
  readonly durable: number
  readonly floor: number
  readonly aborted: number
  readonly syncs: number
  readonly syncFailures: number
  readonly snapshotsTaken: number
  readonly digest: bigint
  readonly snapshotError: string | null
}

/** From when a task can be claimed: one of the two. */
export interface When {
  delay?: Millis | undefined
  availableAt?: Millis | undefined
}

/** What an add can say. `json` is made into text, and takes the place of data. */
export interface NewTask extends When {
  json?: unknown
  /** Unique within the group among live tasks. */
  key?: string | undefined
  /** Where a task with this key lives: refuse, answer with the one that is there, or take its place unless it is held. */
  ifExists?: 'refuse' | 'keep' | 'replace' | undefined
}

/** A repeat with the same id gets the first outcome. */
export interface Requested {
  requestId?: string | undefined
}

export interface ClaimOptions extends Requested {
  /** How long it is held, 60 s by default. */
  lease?: Millis | undefined
  /** How long to wait for a task: 0 by default, `null` or `Infinity` for ever. */
  wait?: Millis | null | undefined
  order?: 'random' | 'oldest' | undefined
  /** Tasks that must exist. */
  depends?: readonly Depend[] | undefined
  /** In whose name, where that is not the handle's own owner. */
  owner?: number | undefined
  /** Ends the wait: the promise is rejected with its reason, and nothing is held. */
  signal?: AbortSignal | undefined
}

export interface ClaimsOptions {
  lease?: Millis | undefined
  /** After how long without a task it ends; `null` or `Infinity`: never, which is the default. */
  idle?: Millis | null | undefined
  order?: 'random' | 'oldest' | undefined
  /** Ends it, without an error. */
  signal?: AbortSignal | undefined
}

export type Depend = Subject | { id: number } | { origin: number }

/** What names a task in an update. */
export type Named = { task: Task | Held | number } | { id: number; origin?: number | undefined }

/** What can change of a task; what is not named stays as it is. */
export interface TaskChange extends When {
  data?: Data | undefined
  json?: unknown
  group?: string | undefined
  error?: string | undefined
  /** Even where another holds it. */
  force?: boolean | undefined
}

/** What becomes of a task that failed. */
export interface Failure {
  /** From when it can be claimed again. */
  delay?: Millis | undefined
  /** In another group. */
  group?: string | undefined
}

export type Reason = 'deleted' | 'finished' | 'failed' | 'cancelled' | 'moved'

export interface PutOptions {
  /** The revision that the record must have, 0 for absent. */
  expect?: number | undefined
  /** From when it is hidden. */
  expiresAt?: Millis | undefined
}

export interface Bounds {
  min?: number | undefined
  max?: number | undefined
}

/** A transaction in one piece. */
export interface Request extends Requested {
  adds?: readonly (NewTask & { group: string; data?: Data | undefined })[] | undefined
  updates?:
    | readonly (Named &
        TaskChange & { verb?: 'update' | 'renew' | 'release' | 'fail' | 'requeue' | undefined; lease?: Millis | undefined })[]
    | undefined
  deletes?: readonly (Subject | (Named & { reason?: Reason | undefined; force?: boolean | undefined }))[] | undefined
  depends?: readonly Depend[] | undefined
  puts?: readonly (PutOptions & { table: string; key: string; value: Data })[] | undefined
  removes?: readonly { table: string; key: string; expect?: number | undefined }[] | undefined
  increments?: readonly (Bounds & { table: string; key: string; by?: number | undefined })[] | undefined
  /** Records that must not have changed. */
  guards?: readonly { table: string; key: string; expect: number }[] | undefined
  /** Says that asking for nothing but `depends` is meant. */
  dependsOnly?: boolean | undefined
  owner?: number | undefined
}

/** A task that a handle holds. Its lease renews itself until it is finished, failed or given back. */
export class Held {
  private constructor()
  /** The task as it is now. */
  readonly task: Task
  readonly data: Uint8Array
  text(): string
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse has it.
  json(): any
  /** Whether the lease is lost: nothing that is done now can be committed with it. */
  readonly lost: boolean
  /** Whether it was finished, failed or given back. */
  readonly ended: boolean
  /** Aborts once the lease is lost, with a `LeaseLost` as its reason. */
  readonly signal: AbortSignal
  /** Rejects with `LeaseLost`, with all that is known, once the lease is lost. */
  check(): Promise<void>
  renew(): Promise<void>
  /** Keeps a text with the task, as its `error`, for those who look: how far the work has come. */
  note(text: string): Promise<void>
  /** Changes the data, so that whoever goes on after a crash starts from there. */
  save(data: Data): Promise<void>
  finish(): Promise<void>
  /** The task is given back with one more failure, to be claimed after `delay`. */
  fail(error: unknown, options?: Failure): Promise<void>
  release(options?: { delay?: Millis | undefined }): Promise<void>
  /** Works on it: what `work` answers finishes the task, unless it has ended by then; what it throws fails the task. */
  run<T>(work: (held: this) => T | Promise<T>): Promise<T>
  /** Gives the task back, unless it has ended. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One held task after another. */
export class Claims implements AsyncIterableIterator<Held> {
  private constructor()
  next(): Promise<IteratorResult<Held, undefined>>
  return(): Promise<IteratorResult<Held, undefined>>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** Committed entries from the moment when it was made, of this handle and of all others. */
export class Watch implements AsyncIterableIterator<Event> {
  private constructor()
  next(): Promise<IteratorResult<Event, undefined>>
  return(): Promise<IteratorResult<Event, undefined>>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** What is to happen in one piece: all of it, or nothing. */
export class Transaction {
  private constructor()
  add(group: string, data?: Data, options?: NewTask): void
  update(task: Subject, change: TaskChange): void
  finish(task: Subject): void
  delete(task: Subject, options?: { reason?: Reason | undefined }): void
  release(task: Subject, options?: { delay?: Millis | undefined }): void
  fail(task: Subject, error: unknown, options?: Failure): void
  /** A task that must exist. */
  depend(task: Depend): void
  /** A record, as this transaction would leave it. Should it change before the commit, the transaction is refused. */
  get(table: string, key: string): Promise<Record | null>
  /** A task. Should it not exist at the commit, the transaction is refused. */
  task(id: number): Promise<Task | null>
  put(table: string, key: string, value: Data, options?: PutOptions): void
  remove(table: string, key: string): void
  /** Adds to a number, at commit. */
  increment(table: string, key: string, by?: number, options?: Bounds): void
  /** Commits it, once. */
  commit(): Promise<Committed>
  /** Lets go of all that was asked for, unless it was committed. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A handle on a store. */
export class Store {
  private constructor()
  /** Adds a task that can be claimed after `delay`, or from `availableAt` on. */
  add(group: string, data?: Data, options?: NewTask & Requested): Promise<Task>
  /** Adds tasks of one group, all or none. */
  addMany(group: string, items: Iterable<Data>, options?: When & Requested): Promise<Task[]>
  /** Claims one task of these groups for a lease; `null` where none is available within `wait`. */
  claim(groups: Groups, options?: ClaimOptions): Promise<Task | null>
  /** Claims up to `limit` tasks, as `claim` does one. */
  claimMany(groups: Groups, options: ClaimOptions & { limit: number }): Promise<Task[]>
  /** Claims one task after another, each of which renews its lease. */
  claims(groups: Groups, options?: ClaimsOptions): Claims
  /** Holds a task that this handle claimed: renews its lease until it is finished or let go. */
  hold(task: Task, options?: { lease?: Millis | undefined }): Promise<Held>
  /** Waits until none of these groups has a task left; says whether that came true within `timeout`. */
  waitEmpty(groups: Groups, options?: { timeout?: Millis | null | undefined; signal?: AbortSignal | undefined }): Promise<boolean>
  renew(task: Subject, options?: { lease?: Millis | undefined }): Promise<Task>
  release(task: Subject, options?: { delay?: Millis | undefined }): Promise<Task>
  finish(task: Subject): Promise<void>
  /** Gives a task back with one more failure, whose text is kept, to be claimed after `delay`. */
  fail(task: Subject, error: unknown, options?: Failure): Promise<Task>
  /** Ends a task that nobody wants any more; `force` even where another holds it. */
  cancel(task: Subject, options?: { force?: boolean | undefined }): Promise<void>
  moveTo(task: Subject, group: string): Promise<Task>
  /** Makes a task as if it had never been claimed, in its group or in another. */
  requeue(task: Subject, options?: { group?: string | undefined; delay?: Millis | undefined }): Promise<Task>
  /** The live task that an add began, under whatever id it has by now. */
  find(origin: number): Promise<Task | null>
  byKey(group: string, key: string): Promise<Task | null>
  task(id: number): Promise<Task | null>
  /** The tasks with these ids, in that order, `null` for those that are not there. */
  tasks(ids: readonly number[]): Promise<(Task | null)[]>
  /** A page of the tasks of a group in a state, in the order of their ids. */
  tasks(options?: {
    group?: string | undefined
    state?: 'all' | 'available' | 'delayed' | 'held' | undefined
    limit?: number | undefined
    after?: number | undefined
  }): Promise<Task[]>
  groups(): Promise<Map<string, GroupStats>>
  group(name: string): Promise<GroupStats>
  /** Whether claims skip a group from now on. */
  pause(group: string, paused?: boolean): Promise<number>
  /** Commits a transaction: all of it, or nothing. */
  update(request: Request): Promise<Committed>
  /**
   * Calls `body` with a transaction and commits what it asked for; answers with what `body` answered. Where a record that it
   * read has changed meanwhile, `body` is called again.
   */
  transact<T>(body: (tx: Transaction) => T | Promise<T>, options?: Requested & { retries?: number | undefined }): Promise<T>
  /** A transaction that is committed with `commit()`, once. */
  transaction(): Transaction
  get(table: string, key: string): Promise<Record | null>
  put(table: string, key: string, value: Data, options?: PutOptions): Promise<number>
  remove(table: string, key: string, options?: { expect?: number | undefined }): Promise<number>
  scan(
    table: string,
    options?: { prefix?: string | undefined; limit?: number | undefined; after?: string | undefined },
  ): Promise<Record[]>
  /** Adds to a number, at commit, and answers with the sum. */
  increment(table: string, key: string, by?: number, options?: Bounds): Promise<number>
  /** Watches the store from now on; ends when no event has come within `timeout`, or by `signal`. */
  watch(options?: { timeout?: Millis | null | undefined; signal?: AbortSignal | undefined }): Promise<Watch>
  /** Takes a snapshot now, and answers with the revision that it holds. */
  snapshot(): Promise<number>
  /** Waits until everything that was answered is on stable storage. */
  flush(): Promise<void>
  stats(): Promise<Stats>
  revision(): Promise<number>
  digest(): Promise<{ revision: number; digest: bigint }>
  /** The same store with reads that never wait: they see what this handle has seen. */
  weak(): Store
  readonly identity: string
  readonly owner: number
  readonly actor: string
  now(): Millis
  /** Ends the handle: waiting claims end, and everything that was answered is made durable. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A clock that stands still until it is advanced. */
export class FakeClock {
  /** It stands at `now`, by default at the system's time. */
  constructor(now?: Millis)
  now(): Millis
  /** Moves the clock on, wakes whatever waits for it, and lets leases run out. */
  advance(by: Millis): void
  set(now: Millis): void
}

export interface Limits {
  nameBytes?: number
  keyBytes?: number
  dataBytes?: number
  transactionBytes?: number
  transactionItems?: number
  claimTasks?: number
  claimGroups?: number
  leaseMin?: Millis
  leaseMax?: Millis
  errorBytes?: number
  maxTasks?: number
  maxStateBytes?: number
  maxJournalBytes?: number
}

export interface MemoryOptions {
  /** The owner of requests that name none; random by default. */
  owner?: number | undefined
  /** The label of who does it, `host:pid` by default. */
  actor?: string | undefined
  limits?: Limits | undefined
  clock?: FakeClock | undefined
  seed?: number | undefined
}

export interface OpenOptions extends MemoryOptions {
  /** Answers once it is on stable storage, or before, and then is flushed within `flushEvery`. */
  durability?: 'strict' | 'opportunistic' | undefined
  /** Keeps every other handle from writing. */
  exclusive?: boolean | undefined
  /** As `exclusive`, and fences the handle that has it so. */
  takeOver?: boolean | undefined
  /** Writes nothing, not even a lock. */
  readOnly?: boolean | undefined
  /** Whether a store that is not there is created; yes by default. */
  create?: boolean | undefined
  lockWait?: Millis | undefined
  flushEvery?: Millis | undefined
  segmentBytes?: number | undefined
  fileMode?: number | undefined
  folderMode?: number | undefined
  allowNetwork?: boolean | undefined
  /** Whether snapshots are taken in the background. */
  snapshots?: boolean | undefined
  snapshotBytes?: number | undefined
  snapshotEntries?: number | undefined
  /** How long a method of a journal of your own may take, 30 s by default; `null` or `Infinity` for as long as it likes. */
  journalTimeout?: Millis | null | undefined
}

/** Opens the store in a folder, and creates it where there is none; or on a journal of your own. */
export function open(place: string | URL | Journal, options?: OpenOptions): Promise<Store>

export interface ConnectOptions {
  /** What the service asks for. */
  token?: string
  /** The owner of what this handle claims; drawn at random by default. */
  owner?: number
  /** The label of who does it. */
  actor?: string
  /** The certificates (PEM) by which the service is believed to be what it says; those of the system by default. */
  ca?: string | Uint8Array
  /** For how long a call is made again whose answer did not come, under the same request id: 30,000 ms by default. */
  retryFor?: number
  /** How long an answer may take, beyond what the call itself waits for: 20,000 ms by default. */
  answerWithin?: number
}

/** Connects to a store that `tenure serve` serves, as `http://127.0.0.1:8048`: the same `Store` as `open` gives. */
export function connect(url: string | URL, options?: ConnectOptions): Promise<Store>

/** A store in memory that nothing else can open: all the rules, and nothing on disk. */
export function memory(options?: MemoryOptions): Store

/** The package's version. */
export const version: string
