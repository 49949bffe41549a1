'use strict'

require('./lib/symbols.cjs')
const { ask, bridge, native, now, objects } = require('./lib/bridge.cjs')
const { classes } = require('./lib/error.cjs')
const { Claims, Held } = require('./lib/held.cjs')
const { MemoryJournal, checkJournal, register } = require('./lib/journal.cjs')
const { Store } = require('./lib/store.cjs')
const { Transaction } = require('./lib/transaction.cjs')
const { Record, Task } = require('./lib/types.cjs')
const { Watch } = require('./lib/watch.cjs')
const { fileURLToPath } = require('node:url')
const { version } = require('./package.json')

/**
 * Opens the store in a folder, and creates it where there is none; or on a journal of your own.
 * @param {any} place
 * @param {any} [options]
 */
async function open(place, options) {
  if (place instanceof URL) place = fileURLToPath(place)
  if (place === null || typeof place !== 'object') {
    return new Store(await ask((ticket) => native.open(bridge, ticket, place, options)))
  }
  const journal = register(place)
  try {
    return new Store(await ask((ticket) => native.open(bridge, ticket, journal, options)))
  } catch (error) {
    objects.delete(journal.number)
    throw error
  }
}

/**
 * Connects to a store that `tenure serve` serves.
 * @param {string | URL} url
 * @param {any} [options]
 */
async function connect(url, options) {
  const text = url instanceof URL ? url.href : url
  return new Store(await ask((ticket) => native.connectStore(bridge, ticket, text, options)))
}

/** A store in memory that nothing else can open: all the rules, and nothing on disk. @param {any} [options] */
function memory(options) {
  return new Store(now(() => native.memory(bridge, options)))
}

/** A clock that stands still until it is advanced: give it to `memory` or `open`. */
class FakeClock extends native.FakeClock {
  /** @param {number} [at] */
  constructor(at) {
    // A time that can't be is refused as everything else is.
    now(() => new native.FakeClock(at))
    super(at)
  }

  /** Moves the clock on, wakes whatever waits for it, and lets leases run out. @param {number} by */
  advance(by) {
    now(() => super.advance(by))
  }

  /** Puts the clock to a time, forwards or backwards. @param {number} at */
  set(at) {
    now(() => super.set(at))
  }
}

module.exports = {
  ...classes,
  Claims,
  FakeClock,
  Held,
  MemoryJournal,
  Record,
  Store,
  Task,
  Transaction,
  Watch,
  checkJournal,
  connect,
  memory,
  open,
  version,
}
