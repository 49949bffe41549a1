// A journal in memory: rows that every store opened on this object shares.

/** A store in the memory of this page or process. */
export class MemoryJournal {
  #identity = crypto.getRandomValues(new Uint8Array(16));
  #floor = 1;
  #mark = new Uint8Array();
  #rows = [];
  #snapshots = new Map();
  #listeners = new Set();

  identity() {
    return this.#identity;
  }

  floor() {
    return [this.#floor, this.#mark];
  }

  read(from) {
    if (from < this.#floor) return null;
    return this.#rows.slice(from - this.#floor).map((row, index) => [from + index, row]);
  }

  append(at, rows) {
    if (at !== this.#floor + this.#rows.length) return false;
    for (const row of rows) this.#rows.push(row.slice());
    // After the answer, so that others find it answered.
    if (this.#listeners.size > 1) queueMicrotask(() => this.#tell());
    return true;
  }

  truncate(floor, mark) {
    if (floor <= this.#floor) return;
    this.#rows.splice(0, floor - this.#floor);
    this.#floor = floor;
    this.#mark = mark;
  }

  publishSnapshot(name, bytes) {
    this.#snapshots.set(name, bytes);
  }

  snapshots() {
    return [...this.#snapshots.keys()];
  }

  readSnapshot(name) {
    return this.#snapshots.get(name) ?? null;
  }

  removeSnapshot(name) {
    this.#snapshots.delete(name);
  }

  /** Calls `listener` when something was appended. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell() {
    for (const listener of [...this.#listeners]) listener();
  }
}
