// A worker of the soak: README.md beside it says what it does. `worker.py` and `worker.rs` do the same.

import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import * as tenure from '../bindings/node/index.js'

const [place, name, seed, control] = process.argv.slice(2)

/** Numbers between 0 and 1 from a seed (mulberry32). */
function drawing(text) {
  let state = 0
  for (const letter of text) state = (Math.imul(state, 31) + letter.codePointAt(0)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const draw = drawing(seed)
const note = (what, data) => appendFileSync(join(control, `${name}.ledger`), `${what} ${data}\n`)
const served = place.startsWith('http')
const store = served ? await tenure.connect(place, { retryFor: 120_000 }) : await tenure.open(place, { lockWait: 60_000 })

async function step(data) {
  if (data !== null) {
    await store.add('work', data, { requestId: data })
    return note('added', data)
  }
  const task = await store.claim('work', { lease: 3000, wait: 300 })
  if (task === null) return
  const fate = draw()
  if (fate < 0.08) await store.fail(task, 'on purpose')
  else if (fate < 0.12) await store.release(task)
  else if (fate >= 0.14) {
    await store.transact((tx) => {
      tx.finish(task)
      tx.increment('done', task.text())
    })
    note('done', task.text())
  } // the lease of what is left runs out
}

let added = 0
while (!existsSync(join(control, 'stop'))) {
  const adds = draw() < 0.47 && !existsSync(join(control, 'drain'))
  try {
    await step(adds ? `${name}-${added++}` : null)
  } catch (error) {
    if (error instanceof tenure.Rejected) note('refused', error.code)
    else if (error instanceof tenure.Unavailable || error instanceof tenure.Unknown || error instanceof tenure.Timeout) {
      note('unknown', error.code)
    } else throw error
  }
}
await store.close()
