'use strict'
// Questions to the native part, and what comes back: answers, calls of a journal's methods, leases that are lost.

const { inspect } = require('node:util')
const native = require('./native.cjs')
const { Questions } = require('./question.cjs')
const { said } = require('./types.cjs')
const { TenureError, Invalid, build } = require('./error.cjs')

const ANSWER = 0
const ERROR = 1
const CALL = 2
const FORGET_OBJECT = 3
const FORGET_THROWN = 4
const LOST = 5

const questions = new Questions()
/** Objects whose methods the native part calls. @type {Map<number, any>} */
const objects = new Map()
/** What these methods threw, as long as an error carries it. @type {Map<number, any>} */
const thrown = new Map()
/** Held tasks, to be told when their lease is lost. @type {Map<number, WeakRef<{ lose(): void }>>} */
const holders = new Map()

let last = 0

function next() {
  last = last === 0xffffffff ? 1 : last + 1
  return last
}

// A question that has no answer keeps the program alive.
/** @type {NodeJS.Timeout | undefined} */
let alive

function began() {
  if (alive === undefined) alive = setInterval(() => {}, 0x7fffffff)
  else alive.ref()
}

/** @param {any[]} messages */
function deliver(messages) {
  // Whatever else the loop has to do comes between.
  setImmediate(more)
  hear(messages)
}

function more() {
  const messages = bridge.more()
  if (messages !== null) deliver(messages)
}

/** @param {any[]} messages */
function hear(messages) {
  for (let i = 0; i < messages.length; i += 3) {
    const id = messages[i + 1]
    switch (messages[i]) {
      case ANSWER:
        questions.take(id)?.resolve(messages[i + 2])
        break
      case ERROR:
        questions.take(id)?.reject(build(messages[i + 2], thrown))
        break
      case CALL:
        call(id, messages[i + 2])
        break
      case FORGET_OBJECT:
        objects.delete(id)
        break
      case FORGET_THROWN:
        thrown.delete(id)
        break
      case LOST: {
        holders.get(id)?.deref()?.lose()
        holders.delete(id)
        break
      }
    }
  }
  if (questions.size === 0) alive?.unref()
}

const bridge = native.connect(deliver)

// Nothing that was answered is lost because a program that is at its end closes nothing.
process.on('exit', () => bridge.end())

/**
 * Calls a method that the native part waits for.
 * @param {number} id
 * @param {any[]} named
 */
async function call(id, [number, method, ...args]) {
  try {
    const object = objects.get(number)
    const answer = await object[method](...args)
    const wanted = bridge.answer(id, answer)
    if (wanted != null) {
      const found = inspect(answer, { depth: 2, breakLength: Infinity }).slice(0, 80)
      throw new TypeError(`the journal's ${method}() answered ${found}: it must answer ${wanted}`)
    }
  } catch (error) {
    const number = next()
    thrown.set(number, error)
    const known = error instanceof TenureError
    const text = known ? error.message : said(error)
    bridge.threw(id, number, text, known ? error.code : undefined, known ? error.outcome : undefined)
  }
}

/**
 * An argument that the native part refused, as the exception that the caller sees.
 * @param {any} error
 */
function refused(error) {
  if (error?.code === 'InvalidArg') return new Invalid(error.message)
  if (error?.code === 'ObjectExpected') return new TypeError(error.message)
  return error
}

/**
 * Asks the native part something that it answers from another thread.
 * @param {(ticket: number) => void} begin
 * @returns {Promise<any>}
 */
function ask(begin) {
  return new Promise((resolve, reject) => {
    const ticket = questions.add({ resolve, reject })
    if (questions.size === 1) began()
    try {
      begin(ticket)
    } catch (error) {
      // What throws has asked nothing.
      questions.take(ticket)
      if (questions.size === 0) alive?.unref()
      reject(refused(error))
    }
  })
}

/**
 * Asks the native part something that it answers at once.
 * @template T
 * @param {() => T} begin
 * @returns {T}
 */
function now(begin) {
  try {
    return begin()
  } catch (error) {
    throw refused(error)
  }
}

/** Keeps an object whose methods the native part will call, and gives its number. @param {any} object */
function keep(object) {
  const number = next()
  objects.set(number, object)
  return number
}

/** Keeps a held task, to be told when its lease is lost. @param {number} number @param {{ lose(): void }} held */
function listen(number, held) {
  holders.set(number, new WeakRef(held))
  gone.register(held, number)
}

const gone = new FinalizationRegistry((/** @type {number} */ number) => holders.delete(number))

/**
 * What ends a wait when a signal says so.
 * @param {AbortSignal | undefined | null} signal
 * @param {() => void} end
 */
function onAbort(signal, end) {
  if (signal == null) return () => {}
  if (typeof signal !== 'object' || typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw new TypeError('options.signal: give an AbortSignal')
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return () => signal.removeEventListener('abort', end)
}

/**
 * Asks something that waits, and that a signal ends. What it has got by then it gives back; the promise is rejected with the
 * signal's reason.
 * @param {AbortSignal | undefined | null} signal
 * @param {(ticket: number, cancel: any) => void} begin
 */
async function wait(signal, begin) {
  if (signal == null) return ask((ticket) => begin(ticket, undefined))
  const cancel = new native.Cancel()
  const part = onAbort(signal, () => cancel.cancel())
  try {
    signal.throwIfAborted()
    return await ask((ticket) => begin(ticket, cancel))
  } catch (error) {
    if (error instanceof TenureError && error.code === 'cancelled' && signal.aborted) throw signal.reason
    throw error
  } finally {
    part()
  }
}

module.exports = { ask, bridge, keep, listen, native, next, now, objects, onAbort, wait }
