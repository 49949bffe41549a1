'use strict'
// Questions that have no answer yet, by small numbers that are used again.

/**
 * @typedef {{ resolve: (value: any) => void, reject: (error: any) => void }} Question
 */

/**
 * Not a Map: one that is filled and emptied all the time makes its table anew every few hundred questions, and each old table
 * refers to the next. Once the collector has taken one of them for old it keeps the whole chain, and with it every table since,
 * until its next great round; its small rounds, at which the loop stands still, then took five to nine milliseconds, not one.
 */
class Questions {
  /** @type {(Question | undefined)[]} */
  #asked = []
  /** Numbers that are free again. @type {number[]} */
  #free = []

  /** How many there are. */
  get size() {
    return this.#asked.length - this.#free.length
  }

  /** Takes one in, and gives its number. @param {Question} question */
  add(question) {
    const ticket = this.#free.pop() ?? this.#asked.length
    this.#asked[ticket] = question
    return ticket
  }

  /** Takes one out. Its number is given to another: the native part answers each just once. @param {number} ticket */
  take(ticket) {
    const question = this.#asked[ticket]
    if (question !== undefined) {
      this.#asked[ticket] = undefined
      this.#free.push(ticket)
    }
    return question
  }
}

module.exports = { Questions }
