'use strict'
// Loads the native part: the one that was built here, or else that of the package for this platform.

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { local, triple } = require('./platform.cjs')

function load() {
  const built = join(__dirname, '..', local)
  if (existsSync(built)) return require(built)
  const name = `tenure-${triple()}`
  try {
    return require(name)
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error(
      `tenure: there is no package ${name} and no ${local} beside this one: install with optional dependencies, or, with Rust installed, build it by 'npm run build' in ${join(__dirname, '..')}`,
    )
  }
}

module.exports = load()
