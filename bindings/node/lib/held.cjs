'use strict'
// A held task, and one after another.

const { ask, listen, native, next, onAbort } = require('./bridge.cjs')
const { LeaseLost } = require('./error.cjs')
const { Task, errorText, said } = require('./types.cjs')

/** A task that a handle holds. Its lease renews itself until it is finished, failed or given back. */
class Held {
  #native
  #controller = new AbortController()
  /** @type {Task} */
  #task

  /** @param {any} held @param {number} number */
  constructor(held, number) {
    this.#native = held
    this.#task = new Task(held.task)
    listen(number, this)
    if (held.lost) this.lose()
  }

  /** What the native part takes in its place. @param {any} subject */
  static plain(subject) {
    return subject instanceof Held ? subject.#native : subject
  }

  /** Told by the bridge when the lease is lost. */
  lose() {
    if (this.#controller.signal.aborted) return
    const why = new LeaseLost(`the lease of task ${this.#task.id} is lost: discard the result and claim again`)
    this.#controller.abort(why)
  }

  /** The task as it is now. */
  get task() {
    const present = this.#native.task
    if (present.id !== this.#task.id) this.#task = new Task(present)
    return this.#task
  }

  /** The work. */
  get data() {
    return this.task.data
  }

  /** The work as text. */
  text() {
    return this.task.text()
  }

  /** What the work, which is JSON, decodes to. */
  json() {
    return this.task.json()
  }

  /** Whether the lease is lost: nothing that is done now can be committed with it. */
  get lost() {
    return this.#native.lost
  }

  /** Whether it was finished, failed or given back. */
  get ended() {
    return this.#native.ended
  }

  /** Aborts once the lease is lost, with a `LeaseLost` as its reason. */
  get signal() {
    return this.#controller.signal
  }

  /** Rejects with `LeaseLost`, with all that is known, once the lease is lost. */
  check() {
    return ask((ticket) => this.#native.check(ticket))
  }

  /** Renews the lease now. */
  renew() {
    return ask((ticket) => this.#native.renew(ticket))
  }

  /** Keeps a text with the task, as its `error`, for those who look: how far the work has come. @param {string} text */
  note(text) {
    return ask((ticket) => this.#native.note(ticket, text))
  }

  /** Changes the data, so that whoever goes on after a crash starts from there. @param {string | Uint8Array} data */
  save(data) {
    return ask((ticket) => this.#native.save(ticket, data))
  }

  /** The work is done. */
  finish() {
    return ask((ticket) => this.#native.finish(ticket))
  }

  /** The work failed: the task is given back with one more failure, to be claimed after `delay`. @param {unknown} error @param {any} [options] */
  fail(error, options) {
    return ask((ticket) => this.#native.fail(ticket, errorText(error), options))
  }

  /** Gives the task back, to be claimed after `delay`. @param {any} [options] */
  release(options) {
    return ask((ticket) => this.#native.release(ticket, options))
  }

  /**
   * Works on it: what `work` answers finishes the task, unless it has ended by then; what it throws fails the task.
   * @template T
   * @param {(held: this) => T | Promise<T>} work
   */
  async run(work) {
    let answer
    try {
      answer = await work(this)
    } catch (error) {
      // What the work threw says more than that it could not be noted; the lease runs out by itself.
      await ask((ticket) => this.#native.fail(ticket, said(error).toWellFormed(), undefined, true)).catch(() => {})
      throw error
    }
    await ask((ticket) => this.#native.finish(ticket, true))
    return answer
  }

  /** Gives the task back, unless it has ended. */
  async [Symbol.asyncDispose]() {
    if (!this.lost) await ask((ticket) => this.#native.release(ticket, undefined, true))
  }
}

/** One held task after another. */
class Claims {
  #store
  #groups
  #options
  #cancel = new native.Cancel()
  #part
  #ended = false

  /** @param {any} store @param {any} groups @param {any} options */
  constructor(store, groups, { signal, ...options } = /** @type {any} */ ({})) {
    this.#store = store
    this.#groups = groups
    this.#options = options
    this.#part = onAbort(signal, () => this.#end())
  }

  #end() {
    this.#ended = true
    this.#cancel.cancel()
    this.#part?.()
  }

  /** The next one; done when none came within `idle`, or once the signal aborts. */
  async next() {
    if (this.#ended) return { done: true, value: undefined }
    const number = next()
    const held = await ask((ticket) => this.#store.nextHeld(ticket, this.#groups, this.#options, this.#cancel, number))
    if (held === null) {
      this.#end()
      return { done: true, value: undefined }
    }
    return { done: false, value: new Held(held, number) }
  }

  /** Ends it, and whatever waits for it. */
  async return() {
    this.#end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator]() {
    return this
  }

  async [Symbol.asyncDispose]() {
    this.#end()
  }
}

module.exports = { Claims, Held }
