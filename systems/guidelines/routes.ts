import {
  type App,
  type Desk,
  type EnqueueOptions,
  ErrandError,
  hasCode,
  type JobView,
} from 'errand'
import type { Context } from 'hono'
import { listed } from '../common/listed.ts'
import { servePage } from '../common/page.ts'
import { whoAsks } from '../common/who.ts'
import {
  guidelineChecklist,
  guidelineChecklistCalledBack,
  type GuidelineInput,
  QUEUE,
} from './contract.ts'
import { eraseEvent } from './erasing.ts'
import { findEvent, isOver, isSealedAway, toAccepted, toEvent } from './events.ts'
import { inspect } from './health.ts'
import { measure } from './metrics.ts'
import { inOwnWords, sealedAway } from './problems.ts'
import { Readings } from './readings.ts'
import { reviewRoutes } from './review.ts'
import { settings } from './settings.ts'
import { readId, readSubmission, type Submission } from './submission.ts'

export type Routes = Parameters<NonNullable<App['routes']>>[0]

const KEY = /^[\x21-\x7e]{1,255}$/
const RECENT = 20

/** The API in the words its users asked for, and the page. */
export function guidelineRoutes(app: Routes, errand: Desk): void {
  for (const path of ['/jobs/*', '/review/*']) app.use(path, inOwnWords)
  jobRoutes(app, errand)
  reviewRoutes(app, errand)
  app.get('/health', async (c) => {
    const health = await inspect(errand)
    return c.json(health, health.status === 'unhealthy' ? 503 : 200)
  })
}

/** The figures alone; where the platform has its own at the same path, below those. */
export function metricsRoute(app: Routes, errand: Desk): void {
  app.get('/metrics', async (c, next) => {
    const own = await measure(errand)
    if (c.req.path !== '/metrics') return c.text(own)
    await next()
    c.res = c.text((await c.res.text()) + own)
  })
}

export const pageRoutes = (app: Routes): void => servePage(app, new URL('page/', import.meta.url))

function jobRoutes(app: Routes, errand: Desk): void {
  const readings = new Readings()
  app.post('/jobs', async (c) => {
    const submission = await readSubmission(c)
    try {
      const { id, joined } = await submit(errand, submission, c)
      await errand.record('submit', [id], byOf(c))
      c.header('location', `${c.req.path.replace(/\/$/, '')}/${id}`)
      const status = joined ? (await toEvent(errand, await errand.job(id))).status : 'PENDING'
      return c.json(toAccepted(id, joined, status), STATUSES[settings.SUBMIT_STATUS])
    } catch (error) {
      throw hasCode(error, 'ID_TAKEN') ? new ErrandError('IDEMPOTENCY_KEY_REUSED', {}) : error
    }
  })

  app.get('/jobs', async (c) => {
    const { tenant } = whoAsks(c)
    const jobs = await listed(errand, { queue: QUEUE, tenant }, RECENT)
    const { person, ...by } = byOf(c)
    const news = readings.news(`${tenant}/${person}`, jobs.filter(isOver))
    if (news.length > 0) await errand.record('read', news, { person, ...by })
    const data = await Promise.all(jobs.map((view) => toEvent(errand, view)))
    return c.json({ data, text_max: settings.TEXT_MAX })
  })

  app.get('/jobs/:event_id', async (c) => {
    const view = await find(errand, c)
    if (isSealedAway(view)) throw sealedAway()
    if (isOver(view)) await errand.record('read', [view.id], byOf(c))
    return c.json(await toEvent(errand, view))
  })

  app.get('/jobs/:event_id/log', async (c) => {
    const { id } = await find(errand, c)
    await errand.record('read', [id], byOf(c))
    const lines = await errand.logs(id)
    return c.json({ data: lines.map(({ at, level, text }) => ({ event_id: id, at, level, text })) })
  })

  app.post('/jobs/:event_id/cancel', async (c) => {
    const { id } = await find(errand, c)
    await errand.cancel(id, { by: byOf(c) })
    return c.json(await toEvent(errand, await errand.job(id)), 202)
  })

  /** Erases it and all it left; one that runs is stopped first. */
  app.delete('/jobs/:event_id', async (c) => {
    const isGone = await eraseEvent(errand, await find(errand, c), byOf(c))
    return c.body(null, isGone ? 204 : 202)
  })
}

const STATUSES = { 200: 200, 201: 201, 202: 202 } as const

const ONCE = { route: 'POST /guidelines/jobs' }

async function submit(errand: Desk, submission: Submission, c: Context) {
  const { guidelines, callback_url: callbackUrl, metadata, priority } = submission
  const { tenant } = whoAsks(c)
  const job = callbackUrl === undefined ? guidelineChecklist : guidelineChecklistCalledBack
  const input: GuidelineInput = {
    guidelines,
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(metadata && { metadata }),
  }
  const options: EnqueueOptions = {
    priority,
    deadline: settings.DEADLINE,
    expiresIn: settings.EXPIRES_IN,
    ...(tenant !== '' && {
      tenant,
      limits: [{ key: `client:${tenant}`, pending: settings.CLIENT_MAX }],
    }),
  }
  const key = c.req.header('idempotency-key')
  if (key !== undefined && !KEY.test(key)) throw new ErrandError('INVALID_IDEMPOTENCY_KEY', {})
  if (key === undefined) return errand.enqueue(job, input, options)
  // Settings may be others when it is asked again.
  return errand.enqueueOnce(job, input, options, { ...ONCE, key, asked: { priority } })
}

export const find = (errand: Desk, c: Context): Promise<JobView> =>
  findEvent(errand, readId(c), whoAsks(c).tenant)

/** On whose behalf, for the audit log. */
export function byOf(c: Context, note?: string) {
  const { tenant, user } = whoAsks(c)
  return {
    person: user,
    from: 'guidelines',
    ...(tenant !== '' && { tenant }),
    ...(note !== undefined && { note }),
  }
}
