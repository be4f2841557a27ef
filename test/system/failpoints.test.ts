import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Drill } from '../support/drill.ts'

/** Every point that the sources name, verbs of the store before and after their commit. */
const SOURCES = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'))
const NAMED = SOURCES.flatMap((text) => [...text.matchAll(/failpoint\('([a-z._]+)'\)/g)])
const VERBS = SOURCES.flatMap((text) => [...text.matchAll(/turns\.run\('([a-z]+)'/g)])
const POINTS = [
  ...NAMED.map(([, name = '']) => name),
  ...VERBS.flatMap(([, verb]) => [`${verb}.before_commit`, `${verb}.after_commit`]),
]

/**
 * Not passed within a drill: replies are a server's (see replies.test.ts), retries a person's; the rest comes
 * with a clean stop, with files whose time is over, or with a worker that died before.
 */
const ELSEWHERE = /^((reply|retry|retire|forget|retain)\.|sweep\.received)/
/** Which passings of a point are tried; the first that is not reached ends it. `HITS=all` tries more. */
const HITS =
  process.env['HITS'] === 'all' ? [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 21, 30, 40] : [1, 4, 12]

test(
  'every point is where a process may die, and no job is lost by it',
  { concurrency: 3 },
  async (t) => {
    assert(POINTS.length > 30)
    const drills = POINTS.filter((point) => !ELSEWHERE.test(point)).map((point) =>
      t.test(`a process may die at ${point}`, async () => {
        for (const hit of HITS) {
          await using drill = new Drill()
          const isReached = await drill.run(point, 'crash', hit)
          if (hit === 1) assert(isReached, `${point} was never passed`)
          if (!isReached) break
        }
      }),
    )
    await Promise.all(drills)
  },
)
