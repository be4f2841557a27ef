import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { styleText } from 'node:util'
import { MOVING, type Sabotage } from './support/sabotages.ts'

const STORE = 'test/store/sqlite.test.ts'
const REDIS = 'test/store/redis.test.ts'
const POSTGRES = 'test/store/postgres.test.ts'
const SYSTEM = 'test/system/'
const ONE_MODE: Record<string, string> = {
  [STORE]: 'SQLite in memory',
  [REDIS]: 'Redis keeps',
  [POSTGRES]: 'PostgreSQL keeps',
}

const SABOTAGES: readonly Sabotage[] = [
  ...MOVING,
  {
    breaks: 'the fence is not checked',
    file: 'src/store/sqlite/exchange.sql',
    find: 'where turn = ? and id = ? and fence = ? and worker = ? and state = 2;\n\n-- name: asked',
    put: 'where turn = ? and id = ? and ? > 0 and worker = ? and state = 2;\n\n-- name: asked',
    test: STORE,
    red: /C3 /,
  },
  {
    breaks: 'the holder is not checked',
    file: 'src/store/sqlite/exchange.sql',
    find: 'where turn = ? and id = ? and fence = ? and worker = ? and state = 2;\n\n-- name: asked',
    put: "where turn = ? and id = ? and fence = ? and ? <> '' and state = 2;\n\n-- name: asked",
    test: STORE,
    red: /C3 /,
  },
  {
    breaks: 'Redis does not check the fence',
    file: 'src/store/redis/settle.lua',
    find: 'sub(raw, 25, 46) ~= worker .. fence then',
    put: 'sub(raw, 25, 40) ~= worker then',
    test: REDIS,
    red: /C3 /,
  },
  {
    breaks: 'Redis hands out what became ready late before what waits',
    file: 'src/store/redis/exchange.lua',
    find: 'if not other or is_older(rows[listed_ids[i]], rows[id]) then id = nil end',
    put: 'if not other then id = nil end',
    test: REDIS,
    red: /C7 /,
  },
  {
    breaks: 'PostgreSQL does not check the fence of an ending',
    file: 'src/store/postgres/settle.sql',
    find: 'where j.id = given.id and j.fence = given.fence and j.worker = in_worker and j.state = 2\n      returning given.place, given.state',
    put: 'where j.id = given.id and j.worker = in_worker and j.state = 2\n      returning given.place, given.state',
    test: POSTGRES,
    red: /C3 /,
  },
  {
    breaks: 'PostgreSQL gives one job what is another’s when an exchange is repeated',
    file: 'src/store/postgres/exchange.sql',
    find: 'jsonb_object_agg(j.id, jsonb_strip_nulls',
    put: 'jsonb_object_agg((select max(id) from unnest(ids) as id), jsonb_strip_nulls',
    test: POSTGRES,
    red: /C4 |C9 |C10 |C12 /,
  },
  {
    breaks: 'no receipt is kept',
    file: 'src/store/sqlite/exchange.ts',
    find: '    this.#sql.hand.run(worker, n, handed.length, JSON.stringify(places))\n',
    put: '',
    test: STORE,
    red: /C[456] /,
  },
  {
    breaks: 'a repeated number claims again',
    file: 'src/store/sqlite/exchange.ts',
    find: "if (n === newest || n === second) return 'again'",
    put: "if (n === newest || n === second) return 'new'",
    test: STORE,
    red: /C4 /,
  },
  {
    breaks: 'fences start anew when the clock goes back',
    file: 'src/store/sqlite/handing.ts',
    find: 'Math.max(job.fence + 1, now)',
    put: 'now',
    test: STORE,
    red: /C2 /,
  },
  {
    breaks: 'anybody may sweep',
    file: 'src/store/sqlite/sweep.sql',
    find: ' and :now - unbroken_from >= lease_ms',
    put: ' and :now >= 0 and lease_ms > 0',
    test: STORE,
    red: /C6 /,
  },
  {
    breaks: 'the unique index is gone',
    file: 'src/store/sqlite/inserting.ts',
    find: 'if (!unique && fingerprint === undefined) return undefined',
    put: 'if (fingerprint === undefined) return undefined',
    test: STORE,
    red: /C[18] /,
  },
  {
    breaks: 'the index of the ready line is gone',
    file: 'src/store/sqlite/migrations/0001-jobs.sql',
    find: 'create index job_ready on job (queue, priority, run_at) where state = 1;',
    put: '',
    test: 'test/store/sqlite-plans.test.ts',
    red: /walks an index/,
  },
  {
    breaks: 'enqueues are not gathered',
    file: 'src/base/batching.ts',
    find: 'const BATCH_MAX = 1000',
    put: 'const BATCH_MAX = 1',
    test: 'test/base/batching.test.ts',
    red: /share the next trip/,
  },
  {
    breaks: 'calls of one turn do not share a transaction',
    file: 'src/store/sqlite/turns.ts',
    find: 'const CALLS_MAX = 500',
    put: 'const CALLS_MAX = 1',
    test: 'test/store/sqlite-plans.test.ts',
    red: /share one transaction/,
  },
  {
    breaks: 'a timed-out job may still complete',
    file: 'src/worker/perform.ts',
    find: "if (why === 'timeout')\n",
    put: "if (why === 'timeout' && report.how !== 'completed')\n",
    test: 'test/worker/perform.test.ts',
    red: /time/,
  },
  {
    breaks: 'a hook is inserted whoever settles',
    file: 'src/store/sqlite/settling.ts',
    find: 'if (changes === 0) return this.answer(id, fence)',
    put: "if (changes === 0 && !('hook' in outcome)) return this.answer(id, fence)",
    test: STORE,
    red: /C(12|3|4) /,
  },
  {
    breaks: 'a subject is purged before its hook has run',
    file: 'src/store/sqlite/purge.ts',
    find: 'if (this.#sql.hooked.get(place)) {',
    put: 'if (this.#sql.hooked.get(place) === null) {',
    test: STORE,
    red: /C12 /,
  },
  {
    breaks: 'a cancel rings nobody',
    file: 'src/store/sqlite/intake.ts',
    find: "      turn.ring('cancel')\n",
    put: '',
    test: 'test/worker/cancel.test.ts',
    red: /its cancel/,
  },
  {
    breaks: 'a job with a crash behind it shares its executor',
    file: 'src/worker/processes.ts',
    find: 'job.crashes > 0 || ',
    put: '',
    test: 'test/worker/force.test.ts',
    red: /runs alone/,
  },
  {
    breaks: 'who blocks the event loop is not looked for',
    file: 'src/worker/child.ts',
    find: 'blocker === undefined ? overdue : this.#places.get(blocker)',
    put: 'overdue',
    test: 'test/worker/force.test.ts',
    red: /to blame/,
  },
  {
    breaks: 'an executor outlives its foreman',
    file: 'src/worker/deadman.ts',
    find: ".on('close', () => setTimeout(end, graceMs))",
    put: ".on('close', () => undefined)",
    test: 'test/system/dying.test.ts',
    red: /nothing of a killed worker/,
  },
  {
    breaks: 'an executor outlives the time its foreman gave',
    file: 'src/worker/deadman.ts',
    find: 'deadline = setTimeout(end, ask.until - monotonic())',
    put: 'deadline = undefined',
    test: 'test/worker/force.test.ts',
    red: /time its foreman gave/,
  },
  {
    breaks: 'a stream has the store read for everybody',
    file: 'src/watch/follow.ts',
    find: '      waiter.heard = heard\n',
    put: '',
    test: 'test/http/reads.test.ts',
    red: /cost one read/,
  },
]

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
