'use strict'
// What is committed, as it comes.

const { ask, native, onAbort } = require('./bridge.cjs')
const { TenureError } = require('./error.cjs')
const { event } = require('./types.cjs')

/** Committed entries from the moment when it was made, of this handle and of all others. */
class Watch {
  #native
  #timeout
  #cancel = new native.Cancel()
  #part
  #ended = false

  /** @param {any} watch @param {any} timeout @param {AbortSignal} [signal] */
  constructor(watch, timeout, signal) {
    this.#native = watch
    this.#timeout = timeout
    this.#part = onAbort(signal, () => this.#end())
  }

  #end() {
    this.#ended = true
    this.#cancel.cancel()
    this.#part?.()
  }

  /** The next event; done when none came within the watch's `timeout`, or once its signal aborts. */
  async next() {
    if (this.#ended) return { done: true, value: undefined }
    try {
      const value = event(await ask((ticket) => this.#native.next(ticket, this.#timeout, this.#cancel)))
      return value === null ? this.return() : { done: false, value }
    } catch (error) {
      if (error instanceof TenureError && error.code === 'cancelled' && this.#ended) return { done: true, value: undefined }
      throw error
    }
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

module.exports = { Watch }
