// The benchmark of the Node package: README.md beside it says what is measured, and how.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { contenders } from './contenders.js'

const BEGIN = '<!-- speed of Node: begin -->'
const END = '<!-- speed of Node: end -->'
const IN_FLIGHT = 64
const WORK = `strict, ${IN_FLIGHT} in flight: claim and finish one by one`

/** How late the loop is at most, in milliseconds, while turns of 0.3 ms are all that it has to do: that much is the machine's. */
async function lateness(seconds) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const until = performance.now() + seconds * 1000
  delay.enable()
  while (performance.now() < until) {
    const turn = performance.now() + 0.3
    while (performance.now() < turn);
    await new Promise((resolve) => setImmediate(resolve))
  }
  delay.disable()
  return delay.max / 1e6
}

/** In a process of its own: fills a queue, then works it off. */
async function measure(name, tasks, seconds, folder) {
  const contender = await contenders[name](folder)
  await contender.fill(tasks)
  const without = await lateness(seconds / 2)
  const syncs = await contender.syncs()
  let done = 0
  // Its smallest step is a millisecond, which each sample carries.
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const began = performance.now()
  const cpu = process.cpuUsage()
  const until = began + seconds * 1000
  delay.enable()
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (performance.now() < until && (await contender.step())) done += 1
    }),
  )
  delay.disable()
  const took = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const figures = {
    rate: done / took,
    cpu_us: (user + system) / Math.max(done, 1),
    delay_p99_ms: delay.percentile(99) / 1e6,
    delay_max_ms: delay.max / 1e6,
    delay_without_ms: without,
    tasks_per_sync: syncs === null ? null : done / ((await contender.syncs()) - syncs),
    done,
  }
  await contender.close()
  return figures
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** Contenders in turns, each time in a fresh process on an empty folder. */
function rounds(asked) {
  const found = {}
  const failed = {}
  for (let round = 0; round < asked.rounds; round += 1) {
    for (const name of Object.keys(contenders)) {
      if (failed[name]) continue
      const folder = mkdtempSync(join(asked.dir, 'run-'))
      const args = [fileURLToPath(import.meta.url), '--child', name, String(asked.tasks), String(asked.seconds), folder]
      const done = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 600_000 })
      rmSync(folder, { recursive: true, force: true })
      if (done.status === 0) {
        found[name] = [...(found[name] ?? []), JSON.parse(done.stdout)]
      } else {
        const error = done.stderr.split('\n').find((line) => /Error/.test(line)) ?? 'it died'
        failed[name] = `not measured: ${error.trim()}`
        console.error(`!!! ${name}: ${failed[name]}`)
      }
    }
  }
  const figures = {}
  for (const [name, all] of Object.entries(found)) {
    const of = (key) => (all[0][key] === null ? null : median(all.map((one) => one[key])))
    figures[name] = Object.fromEntries(Object.keys(all[0]).map((key) => [key, of(key)]))
    // The worst of all rounds, for that is what is promised.
    for (const key of ['delay_max_ms', 'delay_without_ms']) figures[name][key] = Math.max(...all.map((one) => one[key]))
  }
  return { figures, failed }
}

const number = (value) =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toFixed(2)

function table({ machine, quick, figures, failed, checks }) {
  const cells = Object.entries(figures).map(([name, figure]) => {
    const shared = figure.tasks_per_sync === null ? '' : `, ${number(figure.tasks_per_sync)} tasks a sync`
    const most = `${number(figure.delay_max_ms)} ms (most; ${number(figure.delay_without_ms)} ms without it)`
    const delay = `loop late by ${number(figure.delay_p99_ms)} ms (p99), ${most}`
    return `${name}: ${number(figure.rate)} tasks/s, ${number(figure.cpu_us)} µs CPU each${shared}, ${delay}`
  })
  cells.push(...Object.entries(failed).map(([name, why]) => `${name}: ${why}`))
  const verdicts = checks.map(({ what, sign, must, is }) => {
    if (is === null) return `${what} ${sign} ${must}: not measured`
    const good = sign === '≥' ? is >= must : is <= must
    return `${what} ${sign} ${must}: ${good ? number(is) : `**${number(is)}, missed**`}`
  })
  const note = quick ? ', small sizes: the figures mean nothing' : ''
  return [
    `${machine}${note}`,
    '',
    '| work | measured | must be: is |',
    '|---|---|---|',
    `| ${WORK} | ${cells.join('<br>')} | ${verdicts.join('<br>')} |`,
    '',
  ].join('\n')
}

function main() {
  const { values } = parseArgs({
    options: {
      tasks: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '6' },
      rounds: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      dir: { type: 'string', default: tmpdir() },
      out: { type: 'string' },
      into: { type: 'string' },
    },
  })
  const numbers = values.quick ? [2000, 1, 1] : [values.tasks, values.seconds, values.rounds].map(Number)
  const [tasks, seconds, turns] = numbers
  const load = loadavg()[0].toFixed(1)
  mkdirSync(values.dir, { recursive: true })
  const { figures, failed } = rounds({ tasks, seconds, rounds: turns, dir: values.dir })
  const ratio = figures.tenure && figures.plainjob ? figures.tenure.rate / figures.plainjob.rate : null
  const checks = [
    { what: 'times plainjob', sign: '≥', must: 5, is: ratio },
    { what: 'ms that the loop is late at most', sign: '≤', must: 10, is: figures.tenure?.delay_max_ms ?? null },
  ]
  const machine = `${cpus().length} cores, Node ${process.versions.node}, load at the start ${load}`
  const results = { machine, quick: values.quick, tasks, work: WORK, figures, failed, checks }
  const text = table(results)
  console.log(text)
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`)
  if (values.into !== undefined) {
    const [before, rest] = readFileSync(values.into, 'utf8').split(BEGIN)
    writeFileSync(values.into, `${before}${BEGIN}\n${text}${END}${rest.split(END)[1]}`)
  }
}

if (process.argv[2] === '--child') {
  const [name, tasks, seconds, folder] = process.argv.slice(3)
  console.log(JSON.stringify(await measure(name, Number(tasks), Number(seconds), folder)))
} else {
  main()
}
