import { createHash, randomUUID } from 'node:crypto'
import { type App, ErrandError } from 'errand'
import type { Context } from 'hono'
import { fit } from '../common/fit.ts'
import { servePage } from '../common/page.ts'
import { whoAsks } from '../common/who.ts'
import type { Messages } from './messages.ts'
import { Query, Wish } from './query.ts'
import { type Paused, Reports } from './reports.ts'
import { readSending, type SendId, Sends } from './sends.ts'
import type { Settings } from './settings.ts'
import type { Task } from './task.ts'

const IDS_MAX = 50
const ASK_AGAIN_S = '2'
const KEY = /^[\x21-\x7e]{1,255}$/

type Routes = NonNullable<App['routes']>

/** Reports and messages over HTTP, in the words their users asked for. */
export const reportRoutes =
  (messages: Messages, settings: Settings): Routes =>
  (app, { errand }) => {
    const reports = new Reports(errand, messages, settings)
    const sends = new Sends(errand, messages, settings)
    /** The service is the tenant; who has none is shown the service of the settings. */
    const who = (c: Parameters<typeof whoAsks>[0]) => {
      const { tenant, user } = whoAsks(c)
      return { tenant: tenant || settings.service, user }
    }
    servePage(app, new URL('page/', import.meta.url))

    // Asked by who watches: an answer of 200 means that reports are made.
    app.get('/health', async (c) => {
      const workers = await reports.workers()
      return c.json({ status: workers > 0 ? 'ok' : 'down', workers }, workers > 0 ? 200 : 503)
    })

    app.get('/messages', async (c) =>
      c.json(await reports.preview(who(c), fit(Query, c.req.query()))),
    )

    app.post('/', async (c) => {
      const wish = fit(Wish, await bodyOf(c))
      const task = await reports.request(who(c), wish)
      return 'paused' in task ? paused(c, task) : answer(c, task)
    })

    // Asked for and asked about in one: the same request begins, joins, waits and finds.
    app.post('/download/messages', async (c) => {
      const wish = fit(Wish, await bodyOf(c))
      const task = await reports.request(who(c), wish)
      if ('paused' in task) return paused(c, task)
      return c.json(toDownload(task), statusCodeOf(task), againIn(task))
    })

    app.get('/mine', async (c) => {
      const ids = (c.req.query('ids') ?? '').split(',').filter((id) => id !== '')
      const data = await reports.of(who(c), ids.slice(0, IDS_MAX))
      return tagged(c, data.map(markOf).join(), { data })
    })

    app.get('/:id{[0-9a-f-]{36}}', async (c) =>
      answer(c, await reports.one(who(c), c.req.param('id'))),
    )

    app.post('/sends', async (c) => {
      const sending = readSending(await c.req.text(), c.req.header('content-type'), c.req.query())
      const send = await sends.accept(
        who(c),
        idOf(who(c).tenant, c.req.header('idempotency-key')),
        sending,
      )
      return c.json(send, 202, { location: `${c.req.path}/${send.id}` })
    })

    app.get('/sends/:id', async (c) => {
      const send = await sends.one(who(c), c.req.param('id'))
      return tagged(c, Object.values(send).join(), send)
    })
  }

function answer(c: Context, task: Task): Response {
  if (c.req.method === 'GET') return tagged(c, markOf(task), task, againIn(task))
  return c.json(task, statusCodeOf(task), { location: `/reports/${task.id}`, ...againIn(task) })
}

/** Not now, and why: in the words of whoever paused the queue. */
const paused = (c: Context, { paused: detail }: Paused): Response =>
  c.json({ status: 503, title: 'Service Unavailable', code: 'PAUSED', detail }, 503, {
    'content-type': 'application/problem+json; charset=utf-8',
    'retry-after': '60',
  })

/** Who has seen it already is told so, in a few bytes. */
function tagged(c: Context, mark: string, body: object, headers: Record<string, string> = {}) {
  const etag = `W/"${createHash('sha256').update(mark).digest('base64url').slice(0, 22)}"`
  if (isKnown(c.req.header('if-none-match'), etag)) return c.body(null, 304, { etag, ...headers })
  return c.json(body, 200, { etag, ...headers })
}

/** Any of a list, weakly compared (RFC 9110, 13.1.2). */
const isKnown = (known = '', etag: string): boolean =>
  known === '*' || known.split(',').some((one) => `W/${one.trim().replace(/^W\//, '')}` === etag)

const markOf = ({ id, status, progress, ended_at: end }: Task): string =>
  `${id} ${status} ${progress?.done} ${end}`

const isOpen = ({ status }: Task): boolean => status === 'queued' || status === 'running'
const statusCodeOf = (task: Task) => (isOpen(task) ? 202 : 200)
const againIn = (task: Task): Record<string, string> =>
  isOpen(task) ? { 'retry-after': ASK_AGAIN_S } : {}

const toDownload = ({ id, status, url, filename, rows, empty, expires_at }: Task) => ({
  status: status === 'running' ? 'queued' : status,
  task_id: id,
  url,
  filename,
  rows,
  empty,
  expires_at,
})

async function bodyOf(c: Context): Promise<object> {
  const text = await c.req.text()
  const body: unknown = text === '' ? {} : JSON.parse(text)
  return typeof body === 'object' && body !== null ? { ...c.req.query(), ...body } : {}
}

/** The same key of the same service is the same send. */
function idOf(service: string, key: string | undefined): SendId {
  if (key === undefined) return { id: randomUUID(), isKeyed: false }
  if (!KEY.test(key)) throw new ErrandError('INVALID_IDEMPOTENCY_KEY', {})
  const hex = createHash('sha256').update(`${service}\n${key}`).digest('hex')
  const [a, b, c, d, e] = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(13, 16),
    hex.slice(17, 20),
    hex.slice(20, 32),
  ]
  return { id: `${a}-${b}-8${c}-8${d}-${e}`, isKeyed: true }
}
