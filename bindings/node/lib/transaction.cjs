'use strict'
// Several changes in one piece.

const { ask, now } = require('./bridge.cjs')
const { Held } = require('./held.cjs')
const { committed, encoded, errorText, record, task } = require('./types.cjs')

/** What is to happen in one piece: all of it, or nothing. */
class Transaction {
  #native

  /** @param {any} transaction */
  constructor(transaction) {
    this.#native = transaction
  }

  /** Adds a task. @param {string} group @param {any} [data] @param {any} [options] */
  add(group, data, options) {
    now(() => this.#native.add(group, data, encoded(options)))
  }

  /** Changes a task; what is not named stays as it is. @param {any} subject @param {any} change */
  update(subject, change) {
    now(() => this.#native.update(Held.plain(subject), encoded(change)))
  }

  /** Ends a task whose work is done. @param {any} subject */
  finish(subject) {
    now(() => this.#native.finish(Held.plain(subject)))
  }

  /** Ends a task. @param {any} subject @param {any} [options] */
  delete(subject, options) {
    now(() => this.#native.delete(Held.plain(subject), options))
  }

  /** Gives a task back, to be claimed after `delay`. @param {any} subject @param {any} [options] */
  release(subject, options) {
    now(() => this.#native.release(Held.plain(subject), options))
  }

  /** Gives a task back with one more failure, whose text is kept. @param {any} subject @param {unknown} error @param {any} [options] */
  fail(subject, error, options) {
    now(() => this.#native.fail(Held.plain(subject), errorText(error), options))
  }

  /** A task that must exist. @param {any} subject */
  depend(subject) {
    now(() => this.#native.depend(subject instanceof Held ? subject.task : subject))
  }

  /** A record, as this transaction would leave it. Should it change before the commit, the transaction is refused. @param {string} table @param {string} key */
  async get(table, key) {
    return record(await ask((ticket) => this.#native.get(ticket, table, key)))
  }

  /** A task. Should it not exist at the commit, the transaction is refused. @param {number} id */
  async task(id) {
    return task(await ask((ticket) => this.#native.task(ticket, id)))
  }

  /** Writes a record. @param {string} table @param {string} key @param {any} value @param {any} [options] */
  put(table, key, value, options) {
    now(() => this.#native.put(table, key, value, options))
  }

  /** Removes a record. @param {string} table @param {string} key */
  remove(table, key) {
    now(() => this.#native.remove(table, key))
  }

  /** Adds to a number, at commit. @param {string} table @param {string} key @param {number} [by] @param {any} [options] */
  increment(table, key, by, options) {
    now(() => this.#native.increment(table, key, by, options))
  }

  /** Commits it, once. */
  async commit() {
    return committed(await ask((ticket) => this.#native.commit(ticket)))
  }

  /** Lets go of all that was asked for, unless it was committed. */
  async [Symbol.asyncDispose]() {
    await ask((ticket) => this.#native.abandon(ticket))
  }
}

module.exports = { Transaction }
