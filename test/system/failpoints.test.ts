import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { Drill } from '../support/drill.ts'
import { openGround } from '../support/ground.ts'
import { readStores, type StoreName } from '../support/stores.ts'

/** How each driver names the verbs that it cuts off before and after their commit. */
const VERBS: Record<StoreName, RegExp> = {
  sqlite: /turns\.run\('([a-zA-Z]+)'/g,
  redis: /(?:\.call\(\s*|\bas: )'([a-zA-Z]+)'/g,
  postgres: /\.call\(\s*'([a-zA-Z]+)'/g,
}
const NAMED = /failpoint\('([a-z._]+)'\)/g

/** What no process of a drill does, in words of the verbs. */
const UNSAID: Record<StoreName, readonly string[]> = {
  sqlite: [],
  // Scripts that several verbs share, looks of people, and what is done an hour after a death.
  redis: ['worker', 'files', 'list', 'tally', 'ahead', 'audits', 'bury', 'batches', 'rates'],
  postgres: [],
}

const textOf = (...patterns: string[]) =>
  globSync(patterns)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
const namesIn = (text: string, how: RegExp) => [
  ...new Set([...text.matchAll(how)].map(([, name = '']) => name)),
]

/** Every point that the sources name outside of drivers. */
const COMMON = namesIn(textOf('src/*.ts', 'src/!(store)/**/*.ts'), NAMED)

/**
 * Not passed within a drill: replies are a server's (see replies.test.ts), moves an import's (see
 * move.test.ts), retries and erasures a person's, who is written down (see people.test.ts), and batches stop where
 * they are left open; the rest comes with a clean stop, with files whose time is over, or with a worker that died
 * before.
 */
const ELSEWHERE =
  /^((reply|retry|erase|audit|adopt|copy|retire|forget|retain|stoppedBatches)\.|sweep\.received)/

function pointsOf(store: StoreName): string[] {
  const driver = textOf(`src/store/${store}/**/*.ts`)
  const verbs = namesIn(driver, VERBS[store]).filter((verb) => !UNSAID[store].includes(verb))
  const around = verbs.flatMap((verb) => [`${verb}.before_commit`, `${verb}.after_commit`])
  const points = new Set([...namesIn(driver, NAMED), ...around])
  return [...points].filter((point) => !ELSEWHERE.test(point))
}

/** Which passings of a point are tried; the first that is not reached ends it. `HITS=all` tries more, everywhere. */
const isLong = process.env['HITS'] === 'all'
const HITS = isLong ? [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 21, 30, 40] : [1, 4, 12]

const stores = readStores()
const grounds = await Promise.all(stores.map((store) => openGround(store)))
after(async () => {
  for (const ground of grounds) await ground[Symbol.asyncDispose]()
})

for (const ground of grounds)
  if (ground.name === 'sqlite' || isLong)
    test(
      `every point is where a process may die, and no job is lost by it: ${ground.name}`,
      { concurrency: 3 },
      async (t) => {
        const points = [
          ...COMMON.filter((point) => !ELSEWHERE.test(point)),
          ...pointsOf(ground.name),
        ]
        assert(points.length > 25)
        const drills = points.map((point) =>
          t.test(`a process may die at ${point}`, async () => {
            for (const hit of HITS) {
              await using drill = new Drill(ground)
              const isReached = await drill.run(point, 'crash', hit)
              if (hit === 1) assert(isReached, `${point} was never passed`)
              if (!isReached) break
            }
          }),
        )
        await Promise.all(drills)
      },
    )
  else
    test(`processes may die one after the other with every reply of ${ground.name} in their hands`, async () => {
      const points = pointsOf(ground.name).filter((point) => !point.endsWith('.before_commit'))
      assert(points.length > 8)
      await using drill = new Drill(ground)
      await drill.runThrough(points)
    })
