'use strict'
// The handle.

const { ask, keep, next, now, objects, wait } = require('./bridge.cjs')
const { Invalid } = require('./error.cjs')
const { Claims, Held } = require('./held.cjs')
const { Transaction } = require('./transaction.cjs')
const { committed, encoded, errorText, group, record, task } = require('./types.cjs')
const { Watch } = require('./watch.cjs')

/** Options without their signal, and the signal. @param {any} options */
function apart(options) {
  if (options == null || typeof options !== 'object') return [options, undefined]
  const { signal, ...rest } = options
  return [rest, signal]
}

/** The items of an update, with `json` made into text and held tasks as what they are now. @param {any} request */
function spelled(request) {
  if (request == null || typeof request !== 'object') return request
  const one = (/** @type {any} */ item) => {
    if (item instanceof Held) return item.task
    if (item === null || typeof item !== 'object') return item
    const plain = encoded(item)
    return plain.task instanceof Held ? { ...plain, task: plain.task.task } : plain
  }
  const copy = { ...request }
  for (const name of ['adds', 'updates', 'deletes', 'depends']) {
    if (Array.isArray(copy[name])) copy[name] = copy[name].map(one)
  }
  return copy
}

/** A handle on a store. */
class Store {
  #native

  /** @param {any} native */
  constructor(native) {
    if (native?.constructor?.name !== 'Store' || native instanceof Store) {
      throw new TypeError('a store is opened with open() or memory()')
    }
    this.#native = native
  }

  /** Adds a task that can be claimed after `delay`, or from `availableAt` on. @param {string} name @param {any} [data] @param {any} [options] */
  async add(name, data, options) {
    return task(await ask((ticket) => this.#native.add(ticket, name, data, encoded(options))))
  }

  /** Adds tasks of one group, all or none. @param {string} name @param {any} items @param {any} [options] */
  async addMany(name, items, options) {
    const list = items != null && typeof items !== 'string' && typeof items[Symbol.iterator] === 'function' ? [...items] : items
    return (await ask((ticket) => this.#native.addMany(ticket, name, list, options))).map(task)
  }

  /** Claims one task of these groups for a lease, an earlier group before a later one. @param {any} groups @param {any} [options] */
  async claim(groups, options) {
    const [rest, signal] = apart(options)
    if (rest != null && rest.limit !== undefined) throw new Invalid("options: unknown field 'limit': claimMany() has it")
    const tasks = await wait(signal, (ticket, cancel) => this.#native.claim(ticket, groups, rest, cancel))
    return task(tasks[0])
  }

  /** Claims up to `limit` tasks, as `claim` does one. @param {any} groups @param {any} options */
  async claimMany(groups, options) {
    const [rest, signal] = apart(options)
    if (rest == null || rest.limit === undefined) throw new Invalid('options: field limit is missing')
    return (await wait(signal, (ticket, cancel) => this.#native.claim(ticket, groups, rest, cancel))).map(task)
  }

  /** Claims one task after another, each of which renews its lease. @param {any} groups @param {any} [options] */
  claims(groups, options) {
    return new Claims(this.#native, groups, options ?? {})
  }

  /** Holds a task that this handle claimed: renews its lease until it is finished or let go. @param {any} claimed @param {any} [options] */
  async hold(claimed, options) {
    const number = next()
    return new Held(await ask((ticket) => this.#native.hold(ticket, claimed, options, number)), number)
  }

  /** Waits until none of these groups has a task left. @param {any} groups @param {any} [options] */
  async waitEmpty(groups, options) {
    const [rest, signal] = apart(options)
    return wait(signal, (ticket, cancel) => this.#native.waitEmpty(ticket, groups, rest, cancel))
  }

  /** A new lease for a task that was claimed. @param {any} subject @param {any} [options] */
  async renew(subject, options) {
    return task(await ask((ticket) => this.#native.renew(ticket, Held.plain(subject), options)))
  }

  /** Gives a task back, to be claimed after `delay`. @param {any} subject @param {any} [options] */
  async release(subject, options) {
    return task(await ask((ticket) => this.#native.release(ticket, Held.plain(subject), options)))
  }

  /** Ends a task whose work is done. @param {any} subject */
  finish(subject) {
    return ask((ticket) => this.#native.finish(ticket, Held.plain(subject)))
  }

  /** Gives a task back with one more failure, whose text is kept. @param {any} subject @param {unknown} error @param {any} [options] */
  async fail(subject, error, options) {
    return task(await ask((ticket) => this.#native.fail(ticket, Held.plain(subject), errorText(error), options)))
  }

  /** Ends a task that nobody wants any more; `force` even where another holds it. @param {any} subject @param {any} [options] */
  cancel(subject, options) {
    return ask((ticket) => this.#native.cancel(ticket, Held.plain(subject), options))
  }

  /** Puts a task into another group, to be claimed there at once. @param {any} subject @param {string} name */
  async moveTo(subject, name) {
    return task(await ask((ticket) => this.#native.moveTo(ticket, Held.plain(subject), name)))
  }

  /** Makes a task as if it had never been claimed, in its group or in another. @param {any} subject @param {any} [options] */
  async requeue(subject, options) {
    return task(await ask((ticket) => this.#native.requeue(ticket, Held.plain(subject), options)))
  }

  /** The live task that an add began, under whatever id it has by now. @param {number} origin */
  async find(origin) {
    return task(await ask((ticket) => this.#native.find(ticket, origin)))
  }

  /** The live task of a group that has this key. @param {string} name @param {string} key */
  async byKey(name, key) {
    return task(await ask((ticket) => this.#native.byKey(ticket, name, key)))
  }

  /** The task with this id, while it is the present one. @param {number} id */
  async task(id) {
    return task(await ask((ticket) => this.#native.task(ticket, id)))
  }

  /** The tasks with these ids, `null` for those that are not there; or a page of the tasks of a group in a state. @param {any} [which] */
  async tasks(which) {
    const begin = Array.isArray(which) ? 'tasksById' : 'tasks'
    return (await ask((ticket) => this.#native[begin](ticket, which))).map(task)
  }

  /** Every group that has tasks, by its name. */
  async groups() {
    const groups = await ask((ticket) => this.#native.groups(ticket))
    return new Map(groups.map((/** @type {any} */ fields) => [fields.name, group(fields)]))
  }

  /** One group; zeros where it has no tasks. @param {string} name */
  async group(name) {
    return group(await ask((ticket) => this.#native.group(ticket, name)))
  }

  /** Whether claims skip a group from now on. @param {string} name @param {boolean} [paused] */
  pause(name, paused) {
    return ask((ticket) => this.#native.pause(ticket, name, paused))
  }

  /** Commits a transaction: all of it, or nothing. @param {any} request */
  async update(request) {
    return committed(await ask((ticket) => this.#native.update(ticket, spelled(request))))
  }

  /**
   * Calls `body` with a transaction and commits what it asked for; answers with what `body` answered. Where a record that it
   * read has changed meanwhile, `body` is called again.
   * @param {(tx: Transaction) => any} body
   * @param {any} [options]
   */
  async transact(body, options) {
    if (typeof body !== 'function') throw new TypeError('transact: give a function that takes a transaction')
    let answer
    const run = async (/** @type {any} */ transaction) => {
      answer = await body(new Transaction(transaction))
    }
    const number = keep({ run })
    try {
      await ask((ticket) => this.#native.transact(ticket, number, options))
    } finally {
      objects.delete(number)
    }
    return answer
  }

  /** A transaction that is committed with `commit()`, once. */
  transaction() {
    return new Transaction(this.#native.transaction())
  }

  /** A record, unless it is absent or expired. @param {string} table @param {string} key */
  async get(table, key) {
    return record(await ask((ticket) => this.#native.get(ticket, table, key)))
  }

  /** Writes a record and answers with the revision that wrote it. @param {string} table @param {string} key @param {any} value @param {any} [options] */
  put(table, key, value, options) {
    return ask((ticket) => this.#native.put(ticket, table, key, value, options))
  }

  /** Removes a record; where it is not there, nothing happens. @param {string} table @param {string} key @param {any} [options] */
  remove(table, key, options) {
    return ask((ticket) => this.#native.remove(ticket, table, key, options))
  }

  /** Records of a table whose keys begin with `prefix` and come after `after`. @param {string} table @param {any} [options] */
  async scan(table, options) {
    return (await ask((ticket) => this.#native.scan(ticket, table, options))).map(record)
  }

  /** Adds to a number, at commit, and answers with the sum. @param {string} table @param {string} key @param {number} [by] @param {any} [options] */
  increment(table, key, by, options) {
    return ask((ticket) => this.#native.increment(ticket, table, key, by, options))
  }

  /** Watches the store from now on. @param {any} [options] */
  async watch(options) {
    const { signal, timeout = null, ...rest } = options ?? {}
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined) throw new Invalid(`options: unknown field '${unknown}'; known are timeout, signal`)
    if (timeout !== null && typeof timeout !== 'number') throw new TypeError('options.timeout: give a number')
    return new Watch(await ask((ticket) => this.#native.watch(ticket)), timeout, signal)
  }

  /** Takes a snapshot now, and lets go of what it makes superfluous. */
  snapshot() {
    return ask((ticket) => this.#native.snapshot(ticket))
  }

  /** Waits until everything that was answered is on stable storage. */
  flush() {
    return ask((ticket) => this.#native.flush(ticket))
  }

  /** Numbers about the store and this handle. */
  stats() {
    return ask((ticket) => this.#native.stats(ticket))
  }

  /** The revision that a read would see. */
  revision() {
    return ask((ticket) => this.#native.revision(ticket))
  }

  /** Revision and digest over all tasks and records: two handles at one revision have the same. */
  digest() {
    return ask((ticket) => this.#native.digest(ticket))
  }

  /** The same store with reads that never wait: they see what this handle has seen. */
  weak() {
    return new Store(this.#native.weak())
  }

  /** The store's identity: random, drawn when it was created. */
  get identity() {
    return this.#native.identity
  }

  /** The owner of what this handle claims. */
  get owner() {
    return this.#native.owner
  }

  /** The label of who does it. */
  get actor() {
    return this.#native.actor
  }

  /** The time by this handle's clock, in milliseconds since the Epoch. */
  now() {
    return now(() => this.#native.now())
  }

  /** Ends the handle: waiting claims end, and everything that was answered is made durable. */
  close() {
    return ask((ticket) => this.#native.close(ticket))
  }

  async [Symbol.asyncDispose]() {
    await this.close()
  }
}

module.exports = { Store }
