// Packs what a registry gets: the package itself, which has no native part, and one package with that of this platform.
//
//   node pack.js FOLDER          builds the native part as it is released, and leaves the archives in FOLDER
//   node pack.js FOLDER --built  takes the one that lies beside the package
//   node pack.js FOLDER --with linux-arm64-gnu …
//                                the package asks for these platforms too, whose packages were packed elsewhere
//
// An installation takes of the packages for platforms, which are optional, the one that fits.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { local, triple } = createRequire(import.meta.url)('./lib/platform.cjs')
const [folder, ...options] = process.argv.slice(2)
if (folder === undefined) {
  console.error('tenure: give the folder for the archives')
  process.exit(2)
}
const into = resolve(folder)
const others = options.includes('--with') ? options.slice(options.indexOf('--with') + 1) : []
const described = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))

function run(command, args, cwd) {
  const ran = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (ran.status !== 0) process.exit(ran.status ?? 1)
}

/** One package, from the files that `fill` puts into its folder. */
function pack(description, fill) {
  const staged = mkdtempSync(join(tmpdir(), 'tenure-pack-'))
  try {
    fill(staged)
    writeFileSync(join(staged, 'package.json'), `${JSON.stringify(description, null, 2)}\n`)
    run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', into], staged)
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}

if (!options.includes('--built')) run(process.execPath, [join(here, 'build.js')], here)
mkdirSync(into, { recursive: true })

const { description, license, repository, engines, version } = described
const platform = triple()
const [os, cpu, libc] = platform.split('-')
pack(
  {
    name: `tenure-${platform}`,
    version,
    description: `${description}: its native part for ${platform}`,
    license,
    repository,
    engines,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: [libc === 'gnu' ? 'glibc' : libc] }),
    main: `tenure.${platform}.node`,
    files: [`tenure.${platform}.node`],
  },
  (staged) => {
    copyFileSync(join(here, local), join(staged, `tenure.${platform}.node`))
    writeFileSync(
      join(staged, 'README.md'),
      `The native part of \`tenure\` for ${platform}. Install \`tenure\`, which takes it along.\n`,
    )
  },
)

// Whoever installs this one builds nothing.
const { scripts: _scripts, devDependencies: _devDependencies, ...released } = described
const files = described.files.filter((file) => !file.endsWith('.node'))
const platforms = [...new Set([platform, ...others])].sort()
pack(
  { ...released, files, optionalDependencies: Object.fromEntries(platforms.map((name) => [`tenure-${name}`, version])) },
  (staged) => {
    for (const file of [...files, 'README.md']) cpSync(join(here, file), join(staged, file), { recursive: true })
  },
)
