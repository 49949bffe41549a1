// Types of tenure-wasm. Spans and times are milliseconds; times count from the Epoch.

/** What is kept with a task or a record: text is UTF-8. */
export type Data = string | Uint8Array | ArrayBuffer;

/** Something that can be written as JSON. */
export type Json = unknown;

export type TaskState = "available" | "delayed" | "held";

/** A task. Any change gives it another id; a task that was claimed is yours while its id is the present one. */
export class Task {
  private constructor();
  readonly id: number;
  /** The id of the add that began it. */
  readonly origin: number;
  readonly group: string;
  readonly key?: string;
  /** When it can be claimed; while it is held, when the lease ends. */
  readonly availableAt: number;
  readonly addedAt: number;
  /** Who claimed it, 0 for nobody. */
  readonly owner: number;
  /** How often it was claimed. */
  readonly attempt: number;
  /** How often it failed. */
  readonly failures: number;
  /** The text of the last failure. */
  readonly error?: string;
  readonly data: Uint8Array;
  /** The data as text. */
  text(): string;
  /** The data, read as JSON. */
  json<T = unknown>(): T;
}

/** A value under a key, with the revision that last wrote it. */
export class Record {
  private constructor();
  readonly table: string;
  readonly key: string;
  readonly revision: number;
  readonly expiresAt?: number;
  readonly value: Uint8Array;
  text(): string;
  json<T = unknown>(): T;
}

/** A group of tasks, as it is. */
export interface GroupStats {
  name: string;
  tasks: number;
  available: number;
  delayed: number;
  held: number;
  /** Since when the oldest available task waits. */
  oldest?: number;
  paused: boolean;
}

/** What a transaction answers. */
export interface Committed {
  revision: number;
  /** Adds first, then updates, in the order asked. */
  tasks: Task[];
  counts: number[];
  /** Whether it is the answer to an earlier request with this id. */
  repeated: boolean;
}

/** One committed entry, by whichever handle. */
export interface Event {
  revision: number;
  at: number;
  owner: number;
  actor: string;
  requestId?: string;
  changes: Change[];
}

export interface Change {
  kind: "added" | "replaced" | "changed" | "removed" | "put" | "record_removed";
  /** The task's new id, 0 for a record or a task that is gone. */
  id: number;
  /** The task's id until now, 0 for a new one. */
  old: number;
  /** The task's group, empty where the entry does not say it, or the record's table. */
  place: string;
  key?: string;
  reason?: "finished" | "failed" | "cancelled" | "moved" | "deleted" | "replaced";
  owner: number;
  availableAt: number;
}

/** A task, or what is enough to name one. */
export type TaskName = Task | Held | number | { id: number; origin?: number; owner?: number };

export type Groups = string | readonly string[];

interface Content {
  data?: Data;
  /** Instead of `data`. */
  json?: Json;
}

interface Available {
  /** From now on. */
  delay?: number;
  /** Instead of `delay`: the time itself. */
  availableAt?: number;
}

export interface AddOptions extends Available {
  json?: Json;
  /** Unique within its group among live tasks. */
  key?: string;
  /** What happens where the key is taken: `refuse` (the default), `keep` what is there, or `replace` it. */
  ifExists?: "refuse" | "keep" | "replace";
}

export interface TaskChange extends Content, Available {
  group?: string;
  error?: string;
  force?: boolean;
}

export interface ClaimOptions {
  /** How long the claim lasts; 60 000. */
  lease?: number;
  /** How long to wait for a task; 0 answers at once, `Infinity` waits for ever. */
  wait?: number;
  /** `random` (the default) or `oldest`. */
  order?: "random" | "oldest";
  depends?: readonly Depend[];
  owner?: number;
  requestId?: string;
  /** Ends the wait. What the claim got meanwhile is given back before it rejects. */
  signal?: AbortSignal;
}

export interface ClaimsOptions {
  lease?: number;
  order?: "random" | "oldest";
  /** Ends when no task came for so long; never, where it is left out. */
  idle?: number;
  signal?: AbortSignal;
}

export type Depend = number | { id: number } | { origin: number };

/** A transaction, spelled out. */
export interface Request {
  owner?: number;
  requestId?: string;
  adds?: readonly ({ group: string; key?: string; ifExists?: AddOptions["ifExists"] } & Content & Available)[];
  updates?: readonly ({
    id: number;
    origin?: number;
    verb?: "update" | "renew" | "release" | "fail" | "requeue";
  } & TaskChange)[];
  deletes?: readonly (number | { id: number; origin?: number; reason?: string; force?: boolean })[];
  depends?: readonly Depend[];
  puts?: readonly { table: string; key: string; value: Data; expect?: number; expiresAt?: number }[];
  removes?: readonly { table: string; key: string; expect?: number }[];
  increments?: readonly { table: string; key: string; by: number; min?: number; max?: number }[];
  guards?: readonly { table: string; key: string; expect: number }[];
  dependsOnly?: boolean;
}

/** A held task: it knows its present id and is renewed in time. */
export class Held implements AsyncDisposable {
  private constructor();
  readonly task: Task;
  readonly data: Uint8Array;
  /** Nothing that is done now can be committed with it. */
  readonly lost: boolean;
  /** It was finished, failed or given back. */
  readonly ended: boolean;
  /** Aborted when the lease is lost; its reason says why. */
  readonly signal: AbortSignal;
  text(): string;
  json<T = unknown>(): T;
  /** Throws once the lease is lost. */
  check(): void;
  renew(): Promise<void>;
  /** Keeps a text with the task, as its error field. */
  note(text: string): Promise<void>;
  /** Changes the data; the lease stays. */
  save(data: Data): Promise<void>;
  finish(): Promise<void>;
  fail(error: Error | string, options?: { delay?: number; group?: string }): Promise<void>;
  release(options?: { delay?: number }): Promise<void>;
  /** Runs `work` and finishes the task; an exception fails it, and is thrown on. */
  run<T>(work: (held: this) => T | Promise<T>): Promise<T>;
  /** Renews it no more: the lease runs out by itself. */
  forget(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Several changes in one piece. */
export class Transaction implements AsyncDisposable {
  private constructor();
  add(group: string, data?: Data, options?: AddOptions): void;
  update(task: TaskName, change?: TaskChange): void;
  finish(task: TaskName): void;
  delete(
    task: TaskName,
    options?: { reason?: "deleted" | "finished" | "failed" | "cancelled" | "moved"; force?: boolean },
  ): void;
  release(task: TaskName, options?: { delay?: number }): void;
  fail(task: TaskName, error: Error | string, options?: { delay?: number; group?: string }): void;
  depend(task: TaskName | { origin: number }): void;
  /** A record as this transaction would leave it. Should it change before the commit, the transaction is refused. */
  get(table: string, key: string): Promise<Record | null>;
  task(id: number): Promise<Task | null>;
  put(table: string, key: string, value: Data, options?: { expect?: number; expiresAt?: number }): void;
  remove(table: string, key: string, options?: { expect?: number }): void;
  increment(table: string, key: string, by?: number, options?: { min?: number; max?: number }): void;
  /** Commits one that `store.transaction()` made; `transact` does so by itself. */
  commit(options?: { requestId?: string }): Promise<Committed>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Watch extends AsyncIterableIterator<Event> {
  close(): void;
}

export interface Stats {
  revision: number;
  nextId: number;
  tasks: number;
  records: number;
  /** How far another handle's clock was seen ahead of this one's. */
  ahead: number;
  /** Two handles at one revision have the same. */
  digest: string;
  /** Whether the browser promised not to evict the store; `null` where there was nobody to ask. */
  persisted: boolean | null;
}

/** A handle on a store. */
export class Store implements AsyncDisposable {
  private constructor();
  readonly owner: number;
  readonly actor: string;

  add(group: string, data?: Data, options?: AddOptions & { requestId?: string }): Promise<Task>;
  addMany(group: string, items: Iterable<Data>, options?: { delay?: number; requestId?: string }): Promise<Task[]>;
  claim(groups: Groups, options?: ClaimOptions): Promise<Task | null>;
  claimMany(groups: Groups, options?: ClaimOptions & { limit?: number }): Promise<Task[]>;
  claims(groups: Groups, options?: ClaimsOptions): AsyncIterableIterator<Held>;
  /** Holds a task that this handle claimed: renews its lease, now and in time. */
  hold(task: Task, options?: { lease?: number }): Promise<Held>;
  renew(task: TaskName, lease?: number): Promise<Task>;
  release(task: TaskName, options?: { delay?: number }): Promise<Task>;
  finish(task: TaskName): Promise<void>;
  fail(task: TaskName, error: Error | string, options?: { delay?: number; group?: string }): Promise<Task>;
  cancel(task: TaskName, options?: { force?: boolean }): Promise<void>;
  move(task: TaskName, group: string): Promise<Task>;
  requeue(task: TaskName, options?: { group?: string; delay?: number }): Promise<Task>;

  task(id: number): Promise<Task | null>;
  find(origin: number): Promise<Task | null>;
  byKey(group: string, key: string): Promise<Task | null>;
  tasks(options?: { group?: string; state?: TaskState | "all"; limit?: number; after?: number }): Promise<Task[]>;
  groups(): Promise<GroupStats[]>;
  group(name: string): Promise<GroupStats>;
  waitEmpty(groups: Groups, options?: { timeout?: number; signal?: AbortSignal }): Promise<boolean>;

  update(request: Request): Promise<Committed>;
  transact<T>(
    body: (tx: Transaction) => T | Promise<T>,
    options?: { retries?: number; requestId?: string },
  ): Promise<T>;
  /** A transaction that is committed by hand, once. */
  transaction(): Transaction;
  get(table: string, key: string): Promise<Record | null>;
  put(table: string, key: string, value: Data, options?: { expect?: number; expiresAt?: number }): Promise<number>;
  remove(table: string, key: string, options?: { expect?: number }): Promise<number>;
  increment(table: string, key: string, by?: number, options?: { min?: number; max?: number }): Promise<number>;
  scan(table: string, options?: { prefix?: string; after?: string; limit?: number }): Promise<Record[]>;
  pause(group: string, paused?: boolean): Promise<number>;

  watch(options?: { signal?: AbortSignal }): Watch;
  snapshot(): Promise<number>;
  flush(): Promise<void>;
  stats(): Promise<Stats>;
  /** The store as a tar archive of a folder that every other Tenure opens. */
  export(): Promise<Uint8Array>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type Eventually<T> = T | Promise<T>;

/** A journal of your own. A row is the bytes of one entry; row `n` stands at position `n`, and the first is 1. */
export interface Journal {
  /** The 16 random bytes that were drawn when the rows were created. */
  identity(): Eventually<Uint8Array>;
  /** The first position that is still held, 1 in a new journal, and the mark that `truncate` was given with it. */
  floor(): Eventually<[number, Uint8Array]>;
  /** The rows from a position on, in order, without a gap; `null` below the floor. */
  read(from: number): Eventually<Iterable<[number, Uint8Array]> | null>;
  /**
   * Adds rows at `at`, `at + 1`, … in one atomic step and answers `true` once they are durable. Where `at` is not exactly
   * one past the last row it does nothing and answers `false`.
   */
  append(at: number, rows: Uint8Array[]): Eventually<boolean>;
  /** Lets go of the rows before `floor` and keeps `mark`; never lowers the floor. */
  truncate(floor: number, mark: Uint8Array): Eventually<void>;
  publishSnapshot(name: string, bytes: Uint8Array): Eventually<void>;
  snapshots(): Eventually<string[]>;
  readSnapshot(name: string): Eventually<Uint8Array | null>;
  removeSnapshot(name: string): Eventually<void>;
  /** Calls `listener` when something was appended; answers with what ends that. Without it the store polls. */
  listen?(listener: () => void): () => void;
  close?(): Eventually<void>;
}

/** A store in the memory of a page or process. */
export class MemoryJournal implements Journal {
  identity(): Uint8Array;
  floor(): [number, Uint8Array];
  read(from: number): [number, Uint8Array][] | null;
  append(at: number, rows: Uint8Array[]): boolean;
  truncate(floor: number, mark: Uint8Array): void;
  publishSnapshot(name: string, bytes: Uint8Array): void;
  snapshots(): string[];
  readSnapshot(name: string): Uint8Array | null;
  removeSnapshot(name: string): void;
  listen(listener: () => void): () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock {
  constructor(now?: number);
  now(): number;
  /** Moves the clock on; once awaited, what became due is answered. */
  advance(milliseconds: number): Promise<void>;
  set(now: number): Promise<void>;
}

declare const place: unique symbol;

/** A place in IndexedDB. */
export interface Place {
  readonly [place]: true;
}

export interface OpenOptions {
  /** A number that no other handle has; drawn at random where it is left out. */
  owner?: number;
  /** A label for those who look. */
  actor?: string;
  limits?: { [name: string]: number };
  clock?: FakeClock;
  seed?: number;
  /** How often others' commits are looked for where nothing tells of them; 1 000. */
  poll?: number;
  /** After how long a journal of your own counts as failed; 30 000. */
  journalTimeout?: number;
  /** Whether snapshots are taken by themselves; they are. */
  snapshots?: boolean;
  snapshotBytes?: number;
  snapshotEntries?: number;
}

export interface ConnectOptions {
  /** The token, or what gives it, asked before each request. */
  token?: string | (() => string | Promise<string>);
  /** A number that no other handle has; drawn at random where it is left out. */
  owner?: number;
  /** A label for those who look at this handle; what the service writes carries the service's own. */
  actor?: string;
  /** Closes the store. */
  signal?: AbortSignal;
  clock?: FakeClock;
  /** For how long a request without an answer is repeated, with the same request id; 30 000. With 0 it is sent once. */
  patience?: number;
  /** How many waits may take a connection each; 3 in a page, whose browser has six for all tabs of a site. */
  polls?: number;
}

/**
 * Connects to a service (`tenure serve`). What is asked of the store goes there; its `export` is refused, and its
 * `stats().persisted` is `null`.
 */
export function connect(url: string | URL, options?: ConnectOptions): Promise<Store>;

/**
 * A store in IndexedDB, shared by all tabs and workers of the origin. `persist` asks the browser to keep it; `broadcast`
 * tells the other tabs of commits at once.
 */
export function indexedDB(name: string, options?: { persist?: boolean; broadcast?: boolean }): Place;
/** A store in memory. Every handle that is opened on the same answer shares it. */
export function memory(): MemoryJournal;
/** Opens a store, and creates it where there is none. */
export function open(place: Place | Journal, options?: OpenOptions): Promise<Store>;
/** Makes a store in IndexedDB of what `store.export()` gave. It is another store, with ids of its own to come. */
export function importStore(place: Place, bytes: Uint8Array | ArrayBuffer): Promise<void>;
/** Loads the module from its bytes, a `Response`, a URL or a compiled module; `open` does so by itself. */
export function load(source?: BufferSource | Response | URL | string | WebAssembly.Module): Promise<void>;

/** What every error of Tenure is. */
export class TenureError extends Error {
  /** What the caller should do, as its class. */
  readonly kind: string;
  /** The stable name of the cause. */
  readonly code: string;
  /** What is known of the write. */
  readonly outcome: "refused" | "not_started" | "unknown";
  readonly retry: "no" | "later" | "with_same_request_id";
  /** Every reason of a refusal, in the spelling that all languages share. */
  readonly details: { [reason: string]: unknown };
}
export class Rejected extends TenureError {}
/** The claim is no longer yours: discard the result and claim again. */
export class LeaseLost extends Rejected {}
export class Fenced extends TenureError {}
export class NotFound extends TenureError {}
export class Invalid extends TenureError {}
export class Full extends TenureError {}
export class Timeout extends TenureError {}
export class Unavailable extends TenureError {}
export class Unknown extends TenureError {}
export class Corrupt extends TenureError {}
export class Closed extends TenureError {}
export class Internal extends TenureError {}
