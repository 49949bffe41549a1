'use strict'
// One class for each kind of the catalogue, and one for a lost claim.

const native = require('./native.cjs')

/** What every error of Tenure is. */
class TenureError extends Error {
  /** @param {string} [message] @param {ErrorOptions} [options] */
  constructor(message = '', options) {
    super(message, options)
    /** The stable name of the cause. @type {string} */
    this.code = this.constructor.row.code
    /** What the caller should do. @type {string} */
    this.kind = this.constructor.row.kind
    /** Whether anything was written. @type {string} */
    this.outcome = this.constructor.row.outcome
    /** Whether, and how, to try again. @type {string} */
    this.retry = this.constructor.row.retry
    /** Every reason for a refusal. @type {Record<string, any[]>} */
    this.details = {}
  }

  get name() {
    return this.constructor.name
  }
}

const rows = native.catalogue()
TenureError.row = rows.find((row) => row.code === 'internal')

/** @param {string} slug */
const className = (slug) => slug.replace(/(^|_)(.)/g, (_, _dash, letter) => letter.toUpperCase())

/** @type {Record<string, any>} */
const classes = { TenureError }
for (const { kind } of rows) {
  const name = className(kind)
  if (classes[name]) continue
  // An object's key names the class.
  classes[name] = { [name]: class extends TenureError {} }[name]
  classes[name].row = rows.find((row) => row.code === kind) ?? rows.find((row) => row.kind === kind)
}
classes.LeaseLost = class LeaseLost extends classes.Rejected {}
classes.LeaseLost.row = rows.find((row) => row.code === 'lease_lost')

/** @param {any} value @returns {any} */
function camel(value) {
  if (Array.isArray(value)) return value.map(camel)
  if (value === null || typeof value !== 'object') return value
  const name = (/** @type {string} */ key) => key.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [name(key), camel(inside)]))
}

/**
 * An error of the native part as the exception that is thrown. What a user's own object threw comes out unchanged, unless it
 * leaves open whether the transaction was written: then it is the cause of an `Unknown`.
 * @param {any} fault
 * @param {Map<number, any>} thrown
 */
function build(fault, thrown) {
  const behind = fault.thrown === undefined ? undefined : { cause: thrown.get(fault.thrown) }
  if (behind && fault.plain) return behind.cause
  const Class = fault.code === 'lease_lost' ? classes.LeaseLost : (classes[className(fault.kind)] ?? TenureError)
  const error = new Class(fault.message, behind)
  error.code = fault.code
  error.kind = fault.kind
  error.outcome = fault.outcome
  error.retry = fault.retry
  if (fault.json !== undefined) error.details = camel(JSON.parse(fault.json).error.details)
  return error
}

module.exports = { ...classes, build, classes }
