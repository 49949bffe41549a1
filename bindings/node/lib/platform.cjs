'use strict'
// What the native part is called on this platform: beside the package where it was built there, and as a package of its own.

/** Whether the C library is musl. */
function musl() {
  const { header } = /** @type {any} */ (process.report.getReport())
  return header.glibcVersionRuntime === undefined
}

/** The platform as packages are named by it, as `linux-x64-gnu`. */
function triple() {
  const { arch, platform } = process
  if (platform === 'linux') return `linux-${arch}-${musl() ? 'musl' : 'gnu'}`
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

/** The file that a build leaves beside the package. */
const local = `tenure.${process.platform}-${process.arch}.node`

module.exports = { local, triple }
