'use strict'
// Tasks and records: what the native part tells, with methods that decode.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A piece of work. It never changes: any change gives the task a new, higher id. */
class Task {
  /** @param {any} fields */
  constructor(fields) {
    this.id = fields.id
    this.origin = fields.origin
    this.group = fields.group
    this.key = fields.key ?? null
    this.availableAt = fields.availableAt
    this.addedAt = fields.addedAt
    this.owner = fields.owner
    this.attempt = fields.attempt
    this.failures = fields.failures
    this.error = fields.error ?? null
    this.data = fields.data
  }

  /** Its data as text. A `TypeError` where it is none. */
  text() {
    return decoder.decode(this.data)
  }

  /** What its data, which is JSON, decodes to. */
  json() {
    return JSON.parse(this.text())
  }
}

/** A keyed value with the revision that last wrote it. */
class Record {
  /** @param {any} fields */
  constructor(fields) {
    this.table = fields.table
    this.key = fields.key
    this.value = fields.value
    this.revision = fields.revision
    this.expiresAt = fields.expiresAt ?? null
  }

  /** Its value as text. A `TypeError` where it is none. */
  text() {
    return decoder.decode(this.value)
  }

  /** What its value, which is JSON, decodes to. */
  json() {
    return JSON.parse(this.text())
  }
}

/** @param {any} fields @returns {Task | null} */
const task = (fields) => (fields == null ? null : new Task(fields))

/** @param {any} fields @returns {Record | null} */
const record = (fields) => (fields == null ? null : new Record(fields))

/** @param {any} fields */
function group(fields) {
  fields.oldest ??= null
  return fields
}

/** @param {any} fields */
function committed(fields) {
  fields.tasks = fields.tasks.map(task)
  return fields
}

/** @param {any} fields */
function event(fields) {
  if (fields == null) return null
  fields.requestId ??= null
  for (const change of fields.changes) {
    change.key ??= null
    change.reason ??= null
  }
  return fields
}

/**
 * Options whose `json` is made into text.
 * @param {any} options
 */
function encoded(options) {
  // A task has a `json` too, which is its method.
  if (options === null || typeof options !== 'object' || options.json === undefined || options instanceof Task) return options
  return { ...options, json: text(options.json) }
}

/** @param {any} value */
function text(value) {
  const made = JSON.stringify(value)
  if (made === undefined) throw new TypeError(`json: ${typeof value} has no JSON`)
  return made
}

/** What an exception of any kind says. @param {unknown} error */
function said(error) {
  try {
    return String(error)
  } catch {
    return 'what was thrown has no text'
  }
}

/** The text of a failure: a string, or an error. @param {unknown} error */
function errorText(error) {
  return error instanceof Error ? String(error) : error
}

module.exports = { Task, Record, task, record, group, committed, event, encoded, errorText, said }
