// Those who are measured: each fills a queue, and gives a worker that claims one task and finishes it.

import { join } from 'node:path'

const DATA = 'x'.repeat(32)

/** Tenure as it is released, strict: an answer is on the disk. */
async function tenure(folder) {
  const { open } = await import('../index.js')
  const store = await open(join(folder, 'store'))
  return {
    async fill(tasks) {
      for (let left = tasks; left > 0; left -= 10_000) {
        await store.addMany('g', Array(Math.min(left, 10_000)).fill(DATA))
      }
    },
    async step() {
      const task = await store.claim('g')
      if (task === null) return false
      await store.finish(task)
      return true
    },
    syncs: async () => (await store.stats()).syncs,
    close: () => store.close(),
  }
}

/** plainjob on better-sqlite3 with `synchronous=FULL`: an answer is on the disk. It has no promises: each call blocks. */
async function plainjob(folder) {
  const { default: Database } = await import('better-sqlite3')
  const { better, defineQueue } = await import('plainjob')
  const database = new Database(join(folder, 'queue.db'))
  const quiet = { error() {}, warn() {}, info() {}, debug() {} }
  const queue = defineQueue({ connection: better(database), logger: quiet })
  database.pragma('synchronous = FULL')
  if (database.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous is not FULL')
  if (database.pragma('journal_mode', { simple: true }) !== 'wal') throw new Error('the journal is no WAL')
  return {
    async fill(tasks) {
      queue.addMany('g', Array(tasks).fill(DATA))
    },
    async step() {
      const job = queue.getAndMarkJobAsProcessing('g')
      if (job === undefined) return false
      queue.getJobById(job.id)
      queue.markJobAsDone(job.id)
      // Lets the loop turn, as a worker's own waits would.
      await new Promise((resolve) => setImmediate(resolve))
      return true
    },
    syncs: async () => null,
    async close() {
      queue.close()
      database.close()
    },
  }
}

export const contenders = { tenure, plainjob }
