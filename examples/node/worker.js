// Counts the words of texts, one after another, until it is told to stop.
//
//   node worker.js [FOLDER]
//
// Killed at any moment, it loses nothing and counts nothing twice: the count and the end of the task are one transaction, and
// a task whose worker is gone comes back when its lease ends.

import { connect, open } from 'tenure'

const TRIES = 3
const LEASE = Number(process.env.LEASE ?? 30_000)

const [folder = 'texts.tenure'] = process.argv.slice(2)
const url = process.env.TENURE_URL
const store = url ? await connect(url) : await open(folder)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

for await (const held of store.claims('texts', { lease: LEASE, signal: stop.signal })) {
  const id = String(held.task.origin)
  try {
    const words = held.text().split(/\s+/).filter(Boolean).length
    if (words === 0) throw new RangeError('there is nothing to count')
    await store.transact((tx) => {
      tx.finish(held)
      tx.put('counts', id, JSON.stringify({ words }))
    })
    console.log(`text ${id}: ${words} words`)
  } catch (error) {
    if (held.lost) console.log(`text ${id}: another worker has it by now`)
    else if (held.task.failures + 1 < TRIES) await held.fail(error, { delay: 10 * 2 ** held.task.failures })
    else await held.fail(error, { group: 'texts.failed' })
  }
}
await store.close()
