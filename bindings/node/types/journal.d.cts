// A journal of your own.

type Awaitable<T> = T | PromiseLike<T>

/**
 * A journal of your own: a place of your choice that keeps rows, one for each entry. Each method may answer at once or with a
 * promise. What it throws comes out of the call that needed it, unchanged. An exception of `append` leaves open whether the
 * rows are there, and Tenure looks; a `TenureError` whose `outcome` is `refused` or `not_started` says surely not. A call that is
 * not answered within `journalTimeout` is a `Timeout` for whoever asked. A method must not ask the store that stands on it.
 */
export interface Journal {
  /** 16 random bytes, drawn when the journal was created, the same as long as it is the same journal. */
  identity(): Awaitable<Uint8Array>
  /** The first position that is still held, 1 in a new journal, and the mark that `truncate` was given with it. */
  floor(): Awaitable<readonly [position: number, mark: Uint8Array]>
  /** Position and row from `position` on, in order, without a gap; `null` where that lies below the floor. */
  read(position: number): Awaitable<Iterable<readonly [number, Uint8Array]> | AsyncIterable<readonly [number, Uint8Array]> | null>
  /**
   * Adds rows at `position`, `position + 1`, … in one atomic step, if `position` is one past the last row, or the floor of an
   * empty journal. Otherwise `false`, and nothing is added.
   */
  append(position: number, rows: Uint8Array[]): Awaitable<boolean>
  /** Lets go of the rows before `floor` and keeps `mark`. A floor at or below the present one changes nothing. */
  truncate(floor: number, mark: Uint8Array): Awaitable<void>
  /** Stores a snapshot, whole or not at all. */
  publishSnapshot(name: string, data: Uint8Array): Awaitable<void>
  /** The names of the snapshots, in any order. */
  snapshots(): Awaitable<Iterable<string> | AsyncIterable<string>>
  /** A snapshot, or `null`. */
  readSnapshot(name: string): Awaitable<Uint8Array | null>
  /** Removes a snapshot; one that is gone already is no error. */
  removeSnapshot(name: string): Awaitable<void>
  /** Where `append` answers before its rows are on stable storage. One that succeeds after one that failed covers both. */
  sync?(): Awaitable<void>
  /** A lock, or an SQL transaction, round catching up and appending saves conflicts; `false` where it is not free in time. */
  lock?(millis: number): Awaitable<boolean>
  unlock?(): Awaitable<void>
  /** Bytes of rows, bytes of snapshots, number of rows; for `stats`, and for the limit of the journal's size. */
  sizes?(): Awaitable<readonly [number, number, number]>
}

/** Rows in memory, which several stores in one program can open: the shortest journal that keeps every contract. */
export class MemoryJournal implements Journal {
  identity(): Uint8Array
  floor(): [number, Uint8Array]
  read(position: number): [number, Uint8Array][] | null
  append(position: number, rows: Uint8Array[]): boolean
  truncate(floor: number, mark: Uint8Array): void
  publishSnapshot(name: string, data: Uint8Array): void
  snapshots(): string[]
  readSnapshot(name: string): Uint8Array | null
  removeSnapshot(name: string): void
  sizes(): [number, number, number]
}

/** What came of one check of a journal. */
export interface Finding {
  readonly contract: string
  readonly statement: string
  readonly verdict: 'kept' | 'broken' | 'skipped'
  readonly why: string
}

/**
 * Holds journals that `make` makes, each new and empty, against the contracts of the port. `remake` puts a new journal in the
 * place of the one it is given, as if the store had been deleted and created again.
 */
export function checkJournal<J extends Journal>(
  make: () => Awaitable<J>,
  options?: { remake?: ((journal: J) => Awaitable<J>) | undefined; journalTimeout?: number | null | undefined },
): Promise<Finding[]>
