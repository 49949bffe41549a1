// Stores in every place that there is: in memory, in a folder, and served by another process.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tenure from 'tenure'
import { folder } from './scratch.js'

const BUILT = process.env.TENURE_PROGRAM ?? fileURLToPath(new URL('../../../target/debug/tenure', import.meta.url))
const STANDING = join(dirname(BUILT), 'examples', 'standing')

/** Whether there is a service whose clock stands. Where all is tested, there has to be. */
export function canStand(t) {
  if (existsSync(STANDING)) return true
  const why = `${STANDING} is not built: cargo build --workspace --all-features --examples`
  assert.notEqual(process.env.TENURE_INTEROP, 'required', why)
  t.skip(why)
  return false
}

/** Serves a store until the test ends; answers with its URL. @param {import('node:test').TestContext} t @param {string[]} more */
export async function serve(t, ...more) {
  const own = fileURLToPath(new URL('../tenure.js', import.meta.url))
  const command = [own, 'serve', join(folder(t), 'store'), '--listen', '127.0.0.1:0', ...more]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    if (said.includes('\n')) break
  }
  return said.trim().split(' ').at(-1)
}

/** A service in memory whose clock stands where `set` puts it, until the test ends. @param {import('node:test').TestContext} t @param {object} setup */
export async function standing(t, setup) {
  const child = spawn(STANDING, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    return JSON.parse((await lines.next()).value)
  }
  const { url } = await ask(setup)
  return { url, clock: { set: (now) => ask({ now }) } }
}

const places = {
  'in memory': async (_t, options) => tenure.memory(options),
  'in a folder': (t, options) => tenure.open(join(folder(t), 'store'), { durability: 'opportunistic', ...options }),
  served: async (t, options) => tenure.connect(await serve(t), options),
}

/** A test on a store in each place. @param {string} name @param {(store: any, t: any) => Promise<void>} body @param {any} [options] */
export function everywhere(name, body, options) {
  for (const [place, make] of Object.entries(places)) {
    test(`${name}, ${place}`, async (t) => {
      const store = await make(t, options)
      await body(store, t)
      await store.close()
    })
  }
}
