// The shared vectors: what every language answers alike. See core/tests/vectors/README.md.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tenure from 'tenure'
import { folder } from './scratch.js'
import { canStand, standing } from './served.js'

const VECTORS = new URL('../../../core/tests/vectors/', import.meta.url)
// A wrong type can't be written down here: it is refused with a TypeError, see arguments.test.js.
const LEFT_OUT = "what can't be read is refused with its place"

const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), 'utf8'))
const camelName = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
const snakeName = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Members renamed all the way down, but for those that are absent. */
function renamed(value, rename) {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename))
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).filter(([, inside]) => inside !== null && inside !== undefined)
  return Object.fromEntries(members.map(([name, inside]) => [rename(name), renamed(inside, rename)]))
}

/** A request's or a claim's JSON spelling as JavaScript has it. */
function said(fields) {
  if (Array.isArray(fields)) return fields.map(said)
  if (fields === null || typeof fields !== 'object') return fields
  const members = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) continue
    if (name === 'data_base64' || name === 'value_base64') {
      members[name.replace('_base64', '')] = new Uint8Array(Buffer.from(value, 'base64'))
    } else {
      members[camelName(name)] = said(value)
    }
  }
  return members
}

function bytes(name, value) {
  try {
    return { [name]: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value) }
  } catch {
    return { [`${name}_base64`]: Buffer.from(value).toString('base64') }
  }
}

function task(found) {
  if (found.origin === 0) return { id: found.id }
  const { data, ...rest } = found
  return { ...renamed(rest, snakeName), ...bytes('data', data) }
}

function record(found) {
  const { value, ...rest } = found
  return { ...renamed(rest, snakeName), ...bytes('value', value) }
}

function group({ paused, ...rest }) {
  return { ...renamed(rest, snakeName), ...(paused ? { paused } : {}) }
}

const one = (name, found, spell) => (found == null ? {} : { [name]: spell(found) })

async function perform(store, deed, fields) {
  const named = said(fields)
  const { id, ...options } = named ?? {}
  switch (deed) {
    case 'update': {
      const { revision, tasks, counts, repeated } = await store.update(named)
      const answer = { revision, tasks: tasks.map(task) }
      return { ...answer, ...(counts.length > 0 ? { counts } : {}), ...(repeated ? { repeated } : {}) }
    }
    case 'claim': {
      const { groups = [], wait, ...rest } = named
      return { tasks: (await store.claimMany(groups, { limit: 1, ...rest })).map(task) }
    }
    case 'task':
      return one('task', await store.task(id), task)
    case 'find':
      return one('task', await store.find(named.origin), task)
    case 'by_key':
      return one('task', await store.byKey(named.group, named.key), task)
    case 'tasks':
      return { tasks: (await store.tasks(named)).map(task) }
    case 'groups':
      return { groups: [...(await store.groups()).values()].map(group) }
    case 'get':
      return one('record', await store.get(named.table, named.key), record)
    case 'scan': {
      const { table, ...rest } = named
      return { records: (await store.scan(table, rest)).map(record) }
    }
    case 'move':
      return one('task', await store.moveTo(id, options.group), task)
    case 'fail': {
      const { error, ...rest } = options
      return one('task', await store.fail(id, error, rest), task)
    }
    case 'finish':
      return one('task', await store.finish(id), task)
    default:
      return one('task', await store[deed](id, options), task)
  }
}

async function spelled(perform) {
  try {
    return { answer: await perform() }
  } catch (error) {
    if (!(error instanceof tenure.TenureError)) throw error
    const expected = error.code === 'lease_lost' ? 'leaselost' : error.kind.replace('_', '')
    assert.equal(error.constructor.name.toLowerCase(), expected)
    assert.equal(error.name, error.constructor.name)
    const { kind, code, message, outcome, retry, details } = error
    const told = { kind, code, message, outcome, retry }
    return { error: Object.keys(details).length > 0 ? { ...told, details: renamed(details, snakeName) } : told }
  }
}

/** A store in this process. */
function embedded(make) {
  return async (t, limits) => {
    const clock = new tenure.FakeClock(1_000_000)
    return { clock, store: await make(t, { clock, limits: renamed(limits, camelName), owner: 7, actor: 'vectors', seed: 1 }) }
  }
}

const kinds = {
  'in memory': embedded(async (_t, options) => tenure.memory(options)),
  'in a folder': embedded((t, options) => tenure.open(join(folder(t), 'store'), { durability: 'opportunistic', ...options })),
  'on a journal': embedded((_t, options) => tenure.open(new tenure.MemoryJournal(), options)),
  served: async (t, limits) => {
    const { url, clock } = await standing(t, { limits })
    return { clock, store: await tenure.connect(url, { owner: 7, actor: 'vectors' }) }
  },
}

// A client gives every request an id, so that it can be repeated: one that changes nothing is an entry all the same, and
// under narrow limits the id is too long.
const NOT_SERVED = ['a record is put, expected, removed', 'limits are named with the value that broke them']

for (const name of ['requests', 'results', 'errors', 'verbs']) {
  for (const script of read(name).scripts.filter((script) => script.name !== LEFT_OUT)) {
    for (const [kind, make] of Object.entries(kinds)) {
      if (kind === 'served' && NOT_SERVED.includes(script.name)) continue
      test(`${name}, ${kind}: ${script.name}`, async (t) => {
        if (kind === 'served' && !canStand(t)) return
        const { store, clock } = await make(t, script.limits ?? {})
        for (const [number, step] of script.steps.entries()) {
          const { at, answer, error, ...deeds } = step
          if (at !== undefined) await clock.set(at)
          const [[deed, fields]] = Object.entries(deeds)
          const found = await spelled(() => perform(store, deed, fields))
          // `claimMany` answers with tasks alone.
          const expected = error ? { error } : { answer: deed === 'claim' ? { tasks: answer.tasks } : answer }
          assert.deepEqual(found, expected, `step ${number + 1}: ${deed} ${JSON.stringify(fields)}`)
        }
        await store.close()
      })
    }
  }
}

const program = fileURLToPath(new URL('../tenure.js', import.meta.url))

for (const name of ['frames', 'snapshots']) {
  test(`${name}: every folder is read as its lines say`, (t) => {
    for (const { name: what, files, lines } of read(name).folders) {
      const place = folder(t)
      for (const [file, hex] of Object.entries(files)) writeFileSync(join(place, file), Buffer.from(hex, 'hex'))
      const { stdout } = spawnSync(process.execPath, [program, 'inspect', place, '--all', '--json'], { encoding: 'utf8' })
      const found = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
      assert.deepEqual(found, lines, what)
    }
  })
}
