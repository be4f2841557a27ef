import { createHash } from 'node:crypto'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import type { BatchClient } from '../client/batch.ts'
import type { BatchAccepted, Items } from '../client/sending.ts'
import type { BatchView as View } from '../job/batch.ts'
import { ErrandError, hasCode, type Issue } from '../job/errors.ts'
import type { BatchOptions } from '../job/items.ts'
import type { Env } from './app.ts'
import { Noted } from './schemas/audit.ts'
import {
  type BatchJson,
  BatchPage,
  BatchPath,
  BatchQuery,
  BatchView,
  ItemPage,
  ItemsQuery,
  NewBatch,
  RetryBatch,
  StreamQuery,
} from './schemas/batches.ts'
import { jsonBodyOf, optionalJsonBody } from './body.ts'
import { errorLines } from './batch-errors.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { etagOf, matches } from './etag.ts'
import { given } from './given.ts'
import { readKey } from './idempotency.ts'
import { isNdjson, readLines } from './ndjson.ts'
import type { Parts } from './parts.ts'
import { readWait, whileAwaited } from './prefer.ts'
import { refuseUnfit } from './refusal.ts'
import { toResource } from './resource.ts'

/** Each item is a member, and what it has are more: the length of the body is what bounds them. */
const listBody = jsonBodyOf({ depthMax: 66, membersMax: 600_000 })

const listOrStream: MiddlewareHandler<Env> = (c, next) =>
  isNdjson(c.req.header('content-type')) ? next() : listBody(c, next)

const create = createRoute({
  method: 'post',
  path: '/v1/batches',
  middleware: listOrStream,
  request: {
    query: StreamQuery,
    body: {
      description: 'Items as a list, or as a stream of one a line.',
      content: {
        'application/json': { schema: NewBatch },
        'application/x-ndjson': { schema: z.string() },
      },
    },
  },
  responses: {
    202: json('Accepted: all items are stored, and they will run', BatchView),
    default: problem,
  },
})

const list = createRoute({
  method: 'get',
  path: '/v1/batches',
  request: { query: BatchQuery },
  responses: { 200: json('A page of batches, the newest first', BatchPage), default: problem },
})

const look = createRoute({
  method: 'get',
  path: '/v1/batches/{id}',
  request: { params: BatchPath },
  responses: {
    200: json('The batch as it stands', BatchView),
    304: { description: 'It has not changed' },
    default: problem,
  },
})

const items = createRoute({
  method: 'get',
  path: '/v1/batches/{id}/items',
  request: { params: BatchPath, query: ItemsQuery },
  responses: {
    200: json('Items by their place; a page may be short while there is a next', ItemPage),
    default: problem,
  },
})

const errors = createRoute({
  method: 'get',
  path: '/v1/batches/{id}/errors.csv',
  request: { params: BatchPath },
  responses: {
    200: {
      description: 'A line for each failed item: its place, id, reason, error and message',
      content: { 'text/csv': { schema: z.string() } },
    },
    default: problem,
  },
})

const cancel = createRoute({
  method: 'post',
  path: '/v1/batches/{id}/cancel',
  middleware: optionalJsonBody,
  request: { params: BatchPath, body: json('Why', Noted) },
  responses: {
    202: json('No more items are begun; those that run are asked to end', BatchView),
    default: problem,
  },
})

const retry = createRoute({
  method: 'post',
  path: '/v1/batches/{id}/retry',
  middleware: optionalJsonBody,
  request: { params: BatchPath, body: json('Which items', RetryBatch) },
  responses: { 202: json('Its failed items run again', BatchView), default: problem },
})

const ROUTE = 'POST /v1/batches'

/** Batches: submit as a list or a stream, look, page through items, cancel, retry what failed. */
export const batches = ({ errand: { client, watch }, links, settings }: Parts) => {
  const accept = async (c: Context<Env>, job: string, asked: BatchOptions, sent: Items) => {
    const { tenant } = c.get('caller')
    const options = { ...asked, ...given({ tenant }) }
    const key = readKey(c.req.header('idempotency-key'))
    const accepted = await submit(client.batches, { job, sent, options, key })
    const view = await watch.batch(accepted.id, tenant)
    return c.json({ ...toBatch(view), ...remarks(accepted) }, 202, {
      location: pathOf(view.id),
      'retry-after': '1',
      etag: tagOf(view),
      ...(accepted.joined && key !== undefined && { 'idempotency-replayed': 'true' }),
    })
  }
  /** A job of the caller's by its name, where one is named. */
  const named = (onEnd: string | undefined) =>
    onEnd === undefined ? {} : { onEnd: client.definition(onEnd) }

  return new OpenAPIHono<Env>({ defaultHook: refuseUnfit })
    .openapi(create, async (c) => {
      const body = c.req.valid('json')
      if (typeof body !== 'string' && !isNdjson(c.req.header('content-type'))) {
        const { job, items: sent, onEnd, ...asked } = body
        return accept(c, job, { ...given(asked), ...named(onEnd) }, sent)
      }
      const { job, onEnd, ...asked } = c.req.valid('query')
      if (job === undefined)
        throw new ErrandError('INVALID_QUERY', { parameter: 'job', problem: 'is required' })
      const lines = readLines(ReadableStream.from(c.req.raw.body ?? []))
      return accept(c, job, { ...given(asked), ...named(onEnd) }, lines)
    })
    .openapi(list, async (c) => {
      const { limit, cursor } = c.req.valid('query')
      const page = await watch.batches(given({ tenant: c.get('caller').tenant }), limit, cursor)
      return c.json({ data: page.batches.map(toBatch), ...given({ nextCursor: page.next }) }, 200)
    })
    .openapi(look, async (c) => {
      const { tenant } = c.get('caller')
      const { id } = c.req.valid('param')
      const wait = readWait(c.req.header('prefer'))
      const view = await watch.batchEnded(id, (wait ?? 0) * 1000, tenant, whileAwaited(c, settings))
      const headers = {
        etag: tagOf(view),
        ...(view.state !== 'ended' && { 'retry-after': '1' }),
        ...(wait !== undefined && { 'preference-applied': `wait=${wait}` }),
      }
      const isKnown = matches(c.req.header('if-none-match'), headers.etag)
      return isKnown ? c.body(null, 304, headers) : c.json(toBatch(view), 200, headers)
    })
    .openapi(items, async (c) => {
      const { cursor: from, ...asked } = c.req.valid('query')
      const { tenant } = c.get('caller')
      const page = await watch.items(c.req.valid('param').id, given({ ...asked, from, tenant }))
      const data = page.items.map((view) => toResource(view, links))
      return c.json({ data, ...(page.next !== undefined && { nextCursor: `${page.next}` }) }, 200)
    })
    .openapi(errors, async (c) => {
      const view = await watch.batch(c.req.valid('param').id, c.get('caller').tenant)
      return c.body(ReadableStream.from(errorLines(watch, view)), 200, {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="errors-${view.id}.csv"`,
      })
    })
    .openapi(cancel, async (c) => {
      const { id } = await watch.batch(c.req.valid('param').id, c.get('caller').tenant)
      await client.batches.cancel(id, byOf(c, c.req.valid('json').note))
      return c.json(toBatch(await watch.batch(id)), 202)
    })
    .openapi(retry, async (c) => {
      const { id } = await watch.batch(c.req.valid('param').id, c.get('caller').tenant)
      const { note, ...which } = c.req.valid('json')
      const retried = await client.batches.retry(id, { ...given(which), ...byOf(c, note) })
      return c.json({ ...toBatch(await watch.batch(id)), retried }, 202)
    })
}

type Submission = {
  job: string
  sent: Items
  options: BatchOptions
  key: string | undefined
}

/** Refusals of items point into the request's list of them, or count its lines. */
async function submit(
  client: BatchClient,
  { job, sent, options, key }: Submission,
): Promise<BatchAccepted> {
  if (key !== undefined && options.id !== undefined)
    throw new ErrandError('INVALID_OPTION', {
      option: 'id',
      problem: 'cannot stand beside an Idempotency-Key',
    })
  try {
    if (key === undefined) return await client.enqueue(job, sent, options)
    return await client.enqueueOnce(job, sent, options, { route: ROUTE, key })
  } catch (error) {
    if (key !== undefined && hasCode(error, 'ID_TAKEN'))
      throw new ErrandError('IDEMPOTENCY_KEY_REUSED', {}, { cause: error })
    if (!hasCode(error, 'INVALID_ITEMS')) throw error
    throw new ErrandError('INVALID_ITEMS', error.details, { issues: error.issues.map(underItems) })
  }
}

const underItems = (issue: Issue): Issue => ({ ...issue, pointer: `/items${issue.pointer}` })

const remarks = ({ joined, invalid, issues }: BatchAccepted) => ({
  ...(joined && { joined }),
  ...(invalid > 0 && { invalid, errors: issues.map(underItems) }),
})

const pathOf = (id: string): string => `/v1/batches/${id}`

/** A batch as JSON: the view, with links to what may be done next. */
function toBatch(view: View): BatchJson {
  const { id, state, failed, cancelled } = view
  const self = pathOf(id)
  return {
    ...view,
    links: {
      self,
      items: `${self}/items`,
      ...(failed > 0 && { errors: `${self}/errors.csv` }),
      ...(state !== 'ended' && { cancel: `${self}/cancel` }),
      ...(failed + cancelled > 0 && { retry: `${self}/retry` }),
    },
  }
}

/** It has no number that rises with it: what is seen of it is its version. */
const tagOf = (view: View): string =>
  etagOf(createHash('sha256').update(JSON.stringify(view)).digest('base64url').slice(0, 16))
