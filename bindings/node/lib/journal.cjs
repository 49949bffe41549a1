'use strict'
// A journal of your own: an object that keeps rows, one for each entry, and how it is held against the contracts.

const { randomBytes } = require('node:crypto')
const { ask, bridge, keep, native, objects } = require('./bridge.cjs')

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

/**
 * Keeps a journal for the native part, and says of it what it needs to know.
 * @param {any} journal
 */
function register(journal) {
  const has = (/** @type {string} */ name) => typeof journal[name] === 'function'
  const missing = METHODS.filter((name) => !has(name))
  if (missing.length > 0) {
    throw new TypeError(`give a path or a journal: the object has no ${missing.join(', ')}; the type Journal says what they do`)
  }
  const kept = {
    identity: () => journal.identity(),
    floor: () => journal.floor(),
    read: async (/** @type {number} */ position) => list(await journal.read(position)),
    append: (/** @type {number} */ position, /** @type {Uint8Array[]} */ rows) => journal.append(position, rows),
    truncate: (/** @type {number} */ floor, /** @type {Uint8Array} */ mark) => journal.truncate(floor, mark),
    publishSnapshot: (/** @type {string} */ name, /** @type {Uint8Array} */ data) => journal.publishSnapshot(name, data),
    snapshots: async () => list(await journal.snapshots()),
    readSnapshot: (/** @type {string} */ name) => journal.readSnapshot(name),
    removeSnapshot: (/** @type {string} */ name) => journal.removeSnapshot(name),
    sync: () => journal.sync(),
    lock: (/** @type {number} */ millis) => journal.lock(millis),
    unlock: () => journal.unlock(),
    sizes: () => journal.sizes(),
  }
  return { number: keep(kept), syncs: has('sync'), locks: has('lock') && has('unlock'), sizes: has('sizes') }
}

/** What can be gone through, as an array. @param {any} items */
async function list(items) {
  if (items === null || typeof items !== 'object' || Array.isArray(items)) return items
  if (typeof items[Symbol.iterator] === 'function') return [...items]
  if (typeof items[Symbol.asyncIterator] !== 'function') return items
  const all = []
  for await (const item of items) all.push(item)
  return all
}

/** Rows in memory, which several stores in one program can open: the shortest journal that keeps every contract. */
class MemoryJournal {
  #identity = new Uint8Array(randomBytes(16))
  #floor = 1
  #mark = new Uint8Array()
  /** @type {Uint8Array[]} */
  #rows = []
  /** @type {Map<string, Uint8Array>} */
  #snapshots = new Map()

  identity() {
    return this.#identity
  }

  floor() {
    return [this.#floor, this.#mark]
  }

  /** @param {number} position */
  read(position) {
    if (position < this.#floor) return null
    return this.#rows.slice(position - this.#floor).map((row, i) => [position + i, row])
  }

  /** @param {number} position @param {Uint8Array[]} rows */
  append(position, rows) {
    if (position !== this.#floor + this.#rows.length) return false
    this.#rows.push(...rows)
    return true
  }

  /** @param {number} floor @param {Uint8Array} mark */
  truncate(floor, mark) {
    if (floor <= this.#floor) return
    this.#rows.splice(0, floor - this.#floor)
    this.#floor = floor
    this.#mark = mark
  }

  /** @param {string} name @param {Uint8Array} data */
  publishSnapshot(name, data) {
    this.#snapshots.set(name, data)
  }

  snapshots() {
    return [...this.#snapshots.keys()]
  }

  /** @param {string} name */
  readSnapshot(name) {
    return this.#snapshots.get(name) ?? null
  }

  /** @param {string} name */
  removeSnapshot(name) {
    this.#snapshots.delete(name)
  }

  sizes() {
    const bytes = (/** @type {Iterable<Uint8Array>} */ arrays) => [...arrays].reduce((sum, array) => sum + array.length, 0)
    return [bytes(this.#rows), bytes(this.#snapshots.values()), this.#rows.length]
  }
}

/**
 * Holds journals that `make` makes, each new and empty, against the contracts of the port. `remake` puts a new journal in the
 * place of the one it is given, as if the store had been deleted and created again.
 * @param {() => any} make
 * @param {any} [options]
 */
async function checkJournal(make, { remake, journalTimeout = 30_000 } = /** @type {any} */ ({})) {
  if (typeof make !== 'function') throw new TypeError('checkJournal: give a function that makes a journal')
  /** @type {any} */
  let latest
  const ground = {
    fresh: async () => {
      latest = await make()
      return register(latest)
    },
    recreate: async () => {
      latest = await remake(latest)
      return register(latest)
    },
  }
  const number = keep(ground)
  try {
    return await ask((ticket) => native.conformance(bridge, ticket, number, remake !== undefined, journalTimeout))
  } finally {
    objects.delete(number)
  }
}

module.exports = { MemoryJournal, checkJournal, register }
