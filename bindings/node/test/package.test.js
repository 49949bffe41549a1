// What the package promises: it packs, installs and runs in an empty folder; its README runs; its types name what there is.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tenure from 'tenure'
import { folder } from './scratch.js'

const HERE = fileURLToPath(new URL('..', import.meta.url))
const read = (name) => readFileSync(join(HERE, name), 'utf8')
const npm = (args, cwd) => {
  const done = spawnSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
  return done.stdout
}

/** A folder in which `tenure` can be imported. */
function beside(t) {
  const place = folder(t)
  mkdirSync(join(place, 'node_modules'))
  symlinkSync(HERE, join(place, 'node_modules', 'tenure'), 'junction')
  return place
}

test('the package packs, installs in an empty folder, and runs there without Rust', (t) => {
  const place = folder(t)
  const [{ filename, files }] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', place], HERE))
  const names = files.map((file) => file.path)
  for (const name of ['index.js', 'index.cjs', 'index.d.ts', 'index.d.cts', 'tenure.js', 'README.md'])
    assert.ok(names.includes(name), name)
  assert.deepEqual(
    names.filter((name) => /^(src|test|bench|node_modules)\//.test(name)),
    [],
  )
  npm(['install', '--offline', join(place, filename)], home(place))
  runs(place)
})

/** Has an empty package in a folder. */
function home(place) {
  writeFileSync(join(place, 'package.json'), '{ "private": true }')
  return place
}

/** Runs what is installed in a folder, where there is no Rust. */
function runs(place) {
  const environment = { ...process.env, PATH: '' }
  const run = (args) => spawnSync(process.execPath, args, { cwd: place, encoding: 'utf8', env: environment })
  const program =
    "const s = await open('s'); console.log((await s.add('g', 'x')).id, (await s.claim('g')).text()); await s.close()"
  for (const args of [
    ['--input-type=module', '-e', `import { open } from 'tenure'; ${program}`],
    ['-e', `const { open } = require('tenure'); (async () => { ${program.replace("'s'", "'t'")} })()`],
  ]) {
    const done = run(args)
    assert.equal(done.stdout, '1 x\n', done.stderr)
  }
  const listed = run([join('node_modules', 'tenure', 'tenure.js'), 'groups', 's', '--json'])
  assert.equal(JSON.parse(listed.stdout).groups[0].name, 'g', listed.stderr)
  writeFileSync(join(place, 'snippet.mjs'), snippets[0])
  assert.equal(run(['snippet.mjs']).status, 0)
}

test('the packages for a registry install in an empty folder, the native part from one for this platform', (t) => {
  const place = folder(t)
  const packed = spawnSync(process.execPath, [join(HERE, 'pack.js'), place, '--built'], { encoding: 'utf8' })
  assert.equal(packed.status, 0, packed.stderr)
  const archives = readdirSync(place).map((name) => join(place, name))
  assert.equal(archives.length, 2)
  npm(['install', '--offline', ...archives], home(place))
  const installed = readdirSync(join(place, 'node_modules')).filter((name) => !name.startsWith('.'))
  const native = installed.find((name) => name !== 'tenure')
  assert.deepEqual(installed.toSorted(), ['tenure', native].sort())
  assert.deepEqual(
    readdirSync(join(place, 'node_modules', 'tenure')).filter((name) => name.endsWith('.node')),
    [],
  )
  runs(place)
  rmSync(join(place, 'node_modules', native), { recursive: true })
  const lacking = spawnSync(process.execPath, ['-e', "require('tenure')"], { cwd: place, encoding: 'utf8' })
  assert.match(lacking.stderr, new RegExp(`there is no package ${native}`))
})

const snippets = [...read('README.md').matchAll(/```js\n(.*?)```/gs)].map((found) => found[1])

test('the README has snippets', () => assert.ok(snippets.length >= 5))

for (const [number, snippet] of snippets.entries()) {
  test(`snippet ${number + 1} of the README runs`, (t) => {
    const place = beside(t)
    writeFileSync(join(place, 'snippet.mjs'), snippet)
    const done = spawnSync(process.execPath, ['snippet.mjs'], { cwd: place, encoding: 'utf8', timeout: 60_000 })
    assert.equal(done.status, 0, done.stderr)
    if (number === 0) assert.deepEqual(done.stdout.trim().split('\n').sort(), ['part-1', 'part-2'])
    if (number === 1) assert.equal(done.stdout, '1\n')
    if (number === 2) assert.equal(done.stdout, 'TimeoutError\n')
    if (number === 4) assert.equal(done.stdout, '[]\n')
  })
}

test('both entries give the same things', () => {
  const required = createRequire(import.meta.url)('tenure')
  assert.deepEqual(Object.keys(required).sort(), Object.keys(tenure).sort())
  const imported = { ...tenure }
  for (const [name, value] of Object.entries(required)) assert.equal(imported[name], value, name)
  assert.equal(tenure.version, JSON.parse(read('package.json')).version)
  assert.equal(tenure.version, /^version = "(.*)"$/m.exec(read('Cargo.toml'))[1])
})

test('the types name exactly what there is', () => {
  const types = ['index.d.cts', 'types/error.d.cts', 'types/journal.d.cts'].map(read).join('\n')
  const named = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map((found) => found[1])
  assert.deepEqual([...new Set(named)].sort(), Object.keys(tenure).sort())
  const classes = { ...tenure }
  for (const [, name, body] of types.matchAll(/^export class (\w+)[^{]*\{\n(.*?)^\}/gms)) {
    if (classes[name].prototype instanceof Error) continue
    const said = [...body.matchAll(/^ {2}(\w+)(?:<T>)?\(/gm)]
      .map((found) => found[1])
      .filter((method) => method !== 'constructor')
    for (const method of said) assert.equal(typeof classes[name].prototype[method], 'function', `${name}.${method}`)
    const has = Object.getOwnPropertyNames(classes[name].prototype)
    const inner = new Set(['constructor', 'lose'])
    const getters = [...body.matchAll(/readonly (\w+):/g)].map((found) => found[1])
    for (const method of has)
      assert.ok(inner.has(method) || said.includes(method) || getters.includes(method), `${name}.${method} has no type`)
  }
})
