import { NO_WAIT_MS } from './swift.ts'
import { Hono } from 'hono'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { domainsApp } from '../../../systems/domains/app.ts'
import { settings, type Settings } from '../../../systems/domains/settings.ts'
import { smallWeb } from '../../../systems/domains/stand-in/web.ts'
import type { System } from '../stage.ts'

export type SmallWeb = Awaited<ReturnType<typeof openWeb>>

/** The small web in this process, which counts who reads it, and how many of its slow sites are read at once. */
export async function openWeb() {
  const pages: string[] = []
  const at = { once: 0, most: 0 }
  const counted = new Hono().use(async (c, next) => {
    if (c.req.path.startsWith('/names/')) return next()
    pages.push(c.req.path)
    // Others may be answered long after their reader has gone.
    if (!c.req.path.startsWith('/slow-')) return next()
    at.most = Math.max(at.most, ++at.once)
    await next()
    at.once--
    return undefined
  })
  const standIn = await openStandIn(counted.route('/', smallWeb()), 0)
  return {
    url: standIn.url,
    /** The paths that were read, the domain first. */
    pages,
    at,
    readsOf: (domain: string) => pages.filter((path) => path === `/${domain}/`).length,
    script: async (mishaps: readonly unknown[]) => {
      const body = JSON.stringify(mishaps)
      const headers = { 'content-type': 'application/json' }
      await fetch(`${standIn.url}/stand-in/script`, { method: 'PUT', headers, body })
    },
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  }
}

/** The app in a folder and on a store of its own, over a small web. */
export const appOver =
  ({ url }: { url: string }, own: Partial<Settings> = {}) =>
  (folder: string, store: string) =>
    domainsApp({
      ...settings,
      store,
      database: databaseOf(folder, store),
      web: url,
      isHired: false,
      liveMs: 20,
      pages: 1,
      backoffMs: NO_WAIT_MS,
      ...own,
    })

export const databaseOf = (folder: string, store: string) =>
  store.startsWith('postgres') ? store : `sqlite:${folder}/domains.db`

export const Accepted = z.strictObject({
  batch_id: z.string(),
  status_url: z.string(),
  job_count: z.int(),
  created_at: z.iso.datetime(),
})

export const Status = z.object({
  batch_id: z.string(),
  status: z.enum(['pending', 'running', 'complete', 'partial', 'failed', 'cancelled']),
  is_over: z.boolean(),
  total_domains: z.int(),
  completed_domains: z.int(),
  failed_domains: z.int(),
  cancelled_domains: z.int(),
  progress: z.int(),
  processing_time: z.number().optional(),
  domains: z.record(
    z.string(),
    z.object({
      status: z.string(),
      attempt: z.int().optional(),
      job_id: z.string().optional(),
      next_attempt_at: z.string().optional(),
      error: z.object({ code: z.string(), message: z.string() }).optional(),
    }),
  ),
})

/** Hands in domains; the answer is the batch's status page. */
export async function submit(system: System, domains: readonly string[], more: object = {}) {
  const answer = await system.post('/domains/batch', { domains, max_pages: 1, ...more })
  return Accepted.parse(await answer.json()).status_url
}

export const statusOf = async (system: System, path: string) =>
  Status.parse(await system.json(path))

export const overAt = async (system: System, path: string) =>
  Status.parse(await system.json(path, { headers: { prefer: 'wait=20' } }))
