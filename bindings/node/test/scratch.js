// A folder of its own for each test that wants one.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that goes with the test. @param {import('node:test').TestContext} t */
export function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'tenure-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}
