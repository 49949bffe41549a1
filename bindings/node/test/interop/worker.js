// A worker in Node: ends each task with its record, in one transaction. It may be killed at any point of that.

import { open } from 'tenure'

const [place] = process.argv.slice(2)
const store = await open(place)
for await (const held of store.claims('work', { lease: 1000, idle: 3000 })) {
  await store.transact((tx) => {
    tx.finish(held)
    tx.put('done', held.text(), 'node', { expect: 0 }) // refused, had another committed it before
    tx.increment('counts', 'node')
  })
}
await store.close()
