import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { styleText } from 'node:util'
import { MOVING } from './support/sabotages/moving.ts'
import { ELSEWHERE } from './support/sabotages/rest.ts'
import { POSTGRES, REDIS, type Sabotage, SQLITE, SYSTEM } from './support/sabotages/sabotage.ts'
import { ON_SERVERS } from './support/sabotages/servers.ts'
import { ON_SQLITE } from './support/sabotages/sqlite.ts'

const ONE_MODE: Record<string, string> = {
  [SQLITE]: 'SQLite in memory',
  [REDIS]: 'Redis keeps',
  [POSTGRES]: 'PostgreSQL keeps',
}

const SABOTAGES: readonly Sabotage[] = [...ON_SQLITE, ...ON_SERVERS, ...MOVING, ...ELSEWHERE]

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

const missed = SABOTAGES.filter((sabotage) => !isNoticed(sabotage))
console.log(`${SABOTAGES.length - missed.length} of ${SABOTAGES.length} sabotages were noticed`)
process.exitCode = missed.length > 0 ? 1 : 0

/** Breaks a copy and asks the one test file; a run that stays green, or goes red elsewhere only, is a gap. */
function isNoticed({ breaks, file, find, put, test, red }: Sabotage): boolean {
  const copy = mkdtempSync(join(tmpdir(), 'errand-sabotage-'))
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(copy, part), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    const before = readFileSync(join(copy, file), 'utf8')
    if (!before.includes(find)) return told(breaks, false, `${file} has no such text any more`)
    writeFileSync(join(copy, file), before.replace(find, put))
    // One mode is enough to see a clause fall, and a test of real processes to see itself: much faster.
    const narrow = ONE_MODE[test] ?? (test.startsWith(SYSTEM) ? red.source : '.')
    const { stdout } = spawnSync(
      process.execPath,
      ['--no-warnings', '--test', '--test-reporter=tap', `--test-name-pattern=${narrow}`, test],
      {
        cwd: copy,
        encoding: 'utf8',
        timeout: 180_000,
      },
    )
    const fallen = [...stdout.matchAll(/^\s*not ok \d+ - (.*)$/gm)].map(([, name = '']) => name)
    const noticed = fallen.find((name) => red.test(name))
    return told(breaks, noticed !== undefined, noticed ?? `red: ${fallen.join(', ') || 'nothing'}`)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function told(breaks: string, isGood: boolean, detail: string): boolean {
  console.log(`${isGood ? styleText('green', '✔') : styleText('red', '✖')} ${breaks}: ${detail}`)
  return isGood
}
