import { type Desk, ErrandError, hasCode, type JobView } from 'errand'
import { whoAsks } from '../common/who.ts'
import { GuidelineInput, QUEUE } from './contract.ts'
import { discardEvent } from './erasing.ts'
import { toEvent } from './events.ts'
import { toLetter } from './failures.ts'
import { sealedAway } from './problems.ts'
import { Readings } from './readings.ts'
import { byOf, find, type Routes } from './routes.ts'
import { readPage, readReview } from './submission.ts'

const PAGE = 50
const RETRIED_MAX = 1000

/** Dead letters: what failed for good, until a person retries or discards it. */
export function reviewRoutes(app: Routes, errand: Desk): void {
  const readings = new Readings()

  app.get('/review', async (c) => {
    const { tenant } = whoAsks(c)
    const { jobs, next } = await errand.list(
      { queue: QUEUE, state: 'failed', tenant },
      PAGE,
      c.req.query('cursor'),
    )
    const { person, ...by } = byOf(c)
    const news = readings.news(`${tenant}/${person}`, jobs)
    if (news.length > 0) await errand.record('read', news, { person, ...by })
    const data = await Promise.all(jobs.map((view) => toLetter(errand, view)))
    return c.json({ data, ...(next !== undefined && { next_cursor: next }) })
  })

  app.post('/review/retry', async (c) => {
    const { note } = await readReview(c)
    const { tenant } = whoAsks(c)
    let retried = 0
    for await (const { id } of deadOf(errand, tenant))
      if (await isRetried(errand.retry(id, { by: byOf(c, note) }))) retried++
    return c.json({ retried })
  })

  app.post('/jobs/:event_id/retry', async (c) => {
    const { note, guidelines } = await readReview(c)
    const view = await find(errand, c)
    const { id } = view
    const input = guidelines === undefined ? {} : { input: await edited(errand, view, guidelines) }
    await errand.retry(id, { ...input, by: byOf(c, note) })
    return c.json(await toEvent(errand, await errand.job(id)), 202)
  })

  app.post('/jobs/:event_id/discard', async (c) => {
    const { note } = await readReview(c)
    const isGone = await discardEvent(errand, await find(errand, c), byOf(c, note))
    return c.body(null, isGone ? 204 : 202)
  })

  app.get('/jobs/:event_id/audit', async (c) => {
    const { id } = await find(errand, c)
    const { limit, cursor } = readPage(c)
    const { entries, next } = await errand.audit({ job: id }, limit, cursor)
    return c.json({
      data: entries.map(({ at, act, person, from, note }) => ({ at, act, person, from, note })),
      ...(next !== undefined && { next_cursor: `${next}` }),
    })
  })
}

/** The request as it came, with another text: whoever asked is called back all the same. */
async function edited(errand: Desk, view: JobView, guidelines: string): Promise<GuidelineInput> {
  const { id, state, dropped = [] } = view
  const { success, data } = GuidelineInput.safeParse(await errand.input(id))
  if (success) return { ...data, guidelines }
  if (dropped.includes('input')) throw new ErrandError('WRONG_STATE', { id, state, verb: 'edited' })
  throw sealedAway()
}

/** At most so many: a call must end. */
async function* deadOf(errand: Desk, tenant: string): AsyncGenerator<JobView> {
  let cursor: string | undefined
  for (let seen = 0; seen < RETRIED_MAX; seen += PAGE) {
    const { jobs, next } = await errand.list(
      { queue: QUEUE, state: 'failed', tenant },
      PAGE,
      cursor,
    )
    yield* jobs
    if (next === undefined) return
    cursor = next
  }
}

/** One that another person was quicker with is no error. */
async function isRetried(retry: Promise<void>): Promise<boolean> {
  try {
    await retry
    return true
  } catch (error) {
    if (hasCode(error, 'WRONG_STATE') || hasCode(error, 'JOB_NOT_FOUND')) return false
    throw error
  }
}
