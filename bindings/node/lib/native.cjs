'use strict'
// Loads the native part that was built for this platform.

const { existsSync } = require('node:fs')
const { join } = require('node:path')

const name = `tenure.${process.platform}-${process.arch}.node`
const path = join(__dirname, '..', name)

if (!existsSync(path)) {
  throw new Error(
    `tenure: there is no ${name} beside the package: with Rust installed, 'npm run build' in ${join(__dirname, '..')} builds it`,
  )
}

module.exports = require(path)
