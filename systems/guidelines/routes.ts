import { type App, type Desk, type EnqueueOptions, hasCode, type JobView } from 'errand'
import type { Context } from 'hono'
import { servePage } from '../common/page.ts'
import { whoAsks } from '../common/who.ts'
import {
  guidelineChecklist,
  guidelineChecklistCalledBack,
  type GuidelineInput,
  QUEUE,
  QUEUE_KEY,
} from './contract.ts'
import { findEvent, toAccepted, toEvent } from './events.ts'
import { inspect } from './health.ts'
import { measure } from './metrics.ts'
import { reviewRoutes } from './review.ts'
import { settings } from './settings.ts'
import { readId, readSubmission, type Submission, toProblem } from './submission.ts'

export type Routes = Parameters<NonNullable<App['routes']>>[0]

const CANCEL_PATIENCE_MS = 5000
const RECENT = 20
const OVERLOADED_RETRY_S = '30'

/** The API in the words its users asked for, and the page. */
export function guidelineRoutes(app: Routes, errand: Desk): void {
  jobRoutes(app, errand)
  reviewRoutes(app, errand)
  app.get('/health', async (c) => {
    const health = await inspect(errand)
    return c.json(health, health.status === 'unhealthy' ? 503 : 200)
  })
  app.get('/metrics', async (c) => c.text(await measure(errand)))
}

export const pageRoutes = (app: Routes): void => servePage(app, new URL('page/', import.meta.url))

function jobRoutes(app: Routes, errand: Desk): void {
  app.post('/jobs', async (c) => {
    const submission = await readSubmission(c)
    try {
      const { id, joined } = await submit(errand, submission, c)
      c.header('location', `${c.req.path.replace(/\/$/, '')}/${id}`)
      return c.json(toAccepted(id, joined), STATUSES[settings.SUBMIT_STATUS])
    } catch (error) {
      if (hasCode(error, 'LIMIT_REACHED') && error.details.key === QUEUE_KEY) return overloaded()
      if (hasCode(error, 'ID_TAKEN')) return toProblem(422, 'IDEMPOTENCY_KEY_REUSED')
      throw error
    }
  })

  app.get('/jobs', async (c) => {
    const { tenant } = whoAsks(c)
    const { jobs } = await errand.list({ queue: QUEUE, tenant }, RECENT)
    return c.json({ data: await Promise.all(jobs.map((view) => toEvent(errand, view))) })
  })

  app.get('/jobs/:event_id', async (c) => c.json(await toEvent(errand, await find(errand, c))))

  app.get('/jobs/:event_id/log', async (c) => {
    const { id } = await find(errand, c)
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
    const { id, state } = await find(errand, c)
    if (state === 'running') {
      await errand.cancel(id, { by: byOf(c) })
      await errand.ended(id, CANCEL_PATIENCE_MS)
    }
    await errand.erase(id, { by: byOf(c) })
    return c.body(null, 204)
  })
}

const STATUSES = { 200: 200, 201: 201, 202: 202 } as const

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
  if (key === undefined) return errand.enqueue(job, input, options)
  return errand.enqueueOnce(job, input, options, { route: 'POST /guidelines/jobs', key })
}

const overloaded = () =>
  toProblem(
    503,
    'SERVICE_OVERLOADED',
    { detail: 'as many guidelines wait as may; try again later' },
    { 'retry-after': OVERLOADED_RETRY_S },
  )

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
