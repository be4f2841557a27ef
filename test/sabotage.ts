import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { styleText } from 'node:util'
import { SABOTAGES } from './support/sabotages/all.ts'
import { POSTGRES, REDIS, type Sabotage, SQLITE } from './support/sabotages/sabotage.ts'

const ONE_MODE: Record<string, string> = {
  [SQLITE]: 'SQLite in memory',
  [REDIS]: 'Redis keeps',
  [POSTGRES]: 'PostgreSQL keeps',
}

const ROOT = resolve(import.meta.dirname, '..')
const PARTS = [
  'src',
  'test',
  'systems',
  'bench',
  'bin',
  'docs',
  'package.json',
  'tsconfig.json',
  'README.md',
]

/** How many are tried at once: most of what they wait for is others. */
const LANES = 3
const PATIENCE_MS = 180_000

/** `npm run sabotage -- fence` tries those whose words match. */
const [asked = ''] = process.argv.slice(2)
const chosen = SABOTAGES.filter(({ breaks }) => new RegExp(asked).test(breaks))
const left = apart(chosen)
const noticed = await Promise.all(Array.from({ length: LANES }, tryThem))
const count = noticed.reduce((sum, more) => sum + more, 0)
console.log(`${count} of ${chosen.length} sabotages were noticed`)
process.exitCode = count > 0 && count === chosen.length ? 0 : 1

/** Those of one test file as far apart as may be: side by side its servers would stand in each other's way. */
function apart(sabotages: readonly Sabotage[]): Sabotage[] {
  const seen = new Map<string, number>()
  const placed = sabotages.map((sabotage) => {
    const nth = seen.get(sabotage.test) ?? 0
    seen.set(sabotage.test, nth + 1)
    return { sabotage, nth }
  })
  return placed.toSorted((a, b) => a.nth - b.nth).map(({ sabotage }) => sabotage)
}

/** One after the other in one copy, which is compiled once. @returns how many were noticed */
async function tryThem(): Promise<number> {
  const copy = mkdtempSync(join(tmpdir(), 'errand-sabotage-'))
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(copy, part), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    let count = 0
    for (let next = left.shift(); next; next = left.shift())
      if (await isNoticed(copy, next)) count++
    return count
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Breaks the copy and asks the one test file; a run that stays green, or goes red elsewhere only, is a gap. */
async function isNoticed(copy: string, sabotage: Sabotage): Promise<boolean> {
  const { breaks, file, find, put, red } = sabotage
  const place = join(copy, file)
  const before = readFileSync(place, 'utf8')
  if (!before.includes(find)) return told(breaks, false, `${file} has no such text any more`)
  writeFileSync(place, before.replace(find, put))
  try {
    const said = await run(copy, sabotage)
    const fallen = [...said.matchAll(/^\s*not ok \d+ - (.*)$/gm)].map(([, name = '']) => name)
    const noticed = fallen.find((name) => red.test(name))
    return told(breaks, noticed !== undefined, noticed ?? `red: ${fallen.join(', ') || 'nothing'}`)
  } finally {
    writeFileSync(place, before)
  }
}

/** Runs the tests that should fall, of a store in one mode and of a system on one store: much faster, and enough. */
async function run(copy: string, { test, red }: Sabotage): Promise<string> {
  const narrow = `${ONE_MODE[test] ?? ''}.*(?:${red.source})`
  const options = ['--no-warnings', '--test', '--test-reporter=tap']
  const child = spawn(process.execPath, [...options, `--test-name-pattern=${narrow}`, test], {
    cwd: copy,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(copy, '.cache'),
      ...(test.startsWith('test/systems/') && { STORES: 'sqlite' }),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE_MS,
  })
  return text(child.stdout)
}

function told(breaks: string, isGood: boolean, detail: string): boolean {
  console.log(`${isGood ? styleText('green', '✔') : styleText('red', '✖')} ${breaks}: ${detail}`)
  return isGood
}
