import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { keyOf } from '../job/schedule.ts'
import type { Env } from './app.ts'
import { jsonBody, optionalJsonBody } from './body.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { etagOf } from './etag.ts'
import { given } from './given.ts'
import { readKey } from './idempotency.ts'
import type { Parts } from './parts.ts'
import { pathOf, toResource } from './resource.ts'
import { JobView } from './schemas.ts'
import { Noted } from './schemas/audit.ts'
import {
  NewSchedule,
  Preview,
  PreviewQuery,
  PutSchedule,
  ScheduleList,
  SchedulePath,
  ScheduleView,
} from './schemas/schedules.ts'
import { pointing } from './submit.ts'

const PATH = '/v1/schedules/{name}'
const one = { params: SchedulePath }
const standing = (what: string) => ({ 200: json(what, ScheduleView), default: problem })

const list = createRoute({
  method: 'get',
  path: '/v1/schedules',
  responses: { 200: json('All schedules, by name', ScheduleList), default: problem },
})

const create = createRoute({
  method: 'post',
  path: '/v1/schedules',
  middleware: jsonBody,
  request: { body: { required: true, ...json('A schedule that is not there yet', NewSchedule) } },
  responses: { 201: json('It is there', ScheduleView), default: problem },
})

const put = createRoute({
  method: 'put',
  path: PATH,
  middleware: jsonBody,
  request: { ...one, body: { required: true, ...json('As it is to be', PutSchedule) } },
  responses: {
    200: json('It has taken the place of the one before', ScheduleView),
    201: json('It is there', ScheduleView),
    default: problem,
  },
})

const look = createRoute({
  method: 'get',
  path: PATH,
  request: one,
  responses: standing('As it stands'),
})

const remove = createRoute({
  method: 'delete',
  path: PATH,
  request: { ...one, query: Noted },
  responses: { 204: { description: 'It is gone' }, default: problem },
})

const pause = createRoute({
  method: 'post',
  path: `${PATH}/pause`,
  middleware: optionalJsonBody,
  request: { ...one, body: json('Why', Noted) },
  responses: standing('It fires no more until it is resumed'),
})

const resume = createRoute({
  method: 'post',
  path: `${PATH}/resume`,
  middleware: optionalJsonBody,
  request: { ...one, body: json('Why', Noted) },
  responses: standing('It fires again from now on'),
})

const run = createRoute({
  method: 'post',
  path: `${PATH}/run`,
  middleware: optionalJsonBody,
  request: { ...one, body: json('Why', Noted) },
  responses: { 202: json('Its job, enqueued now', JobView), default: problem },
})

const preview = createRoute({
  method: 'get',
  path: `${PATH}/preview`,
  request: { ...one, query: PreviewQuery },
  responses: { 200: json('When it fires next, were it not paused', Preview), default: problem },
})

/** Schedules: put, look, list, pause, resume, run now, and when they fire next. A tenant sees its own. */
export const schedules = ({ errand: { schedules, watch }, links }: Parts) => {
  type Asked = {
    req: { valid(place: 'param'): { name: string } }
    get(name: 'caller'): { tenant?: string }
  }
  const key = (c: Asked) => keyOf(c.req.valid('param').name, c.get('caller').tenant)

  return new OpenAPIHono<Env>()
    .openapi(list, async (c) => {
      return c.json({ data: await schedules.list(c.get('caller').tenant) }, 200)
    })
    .openapi(create, async (c) => {
      const { name, job, input, ...options } = c.req.valid('json')
      const asked = given({ ...options, tenant: c.get('caller').tenant })
      const how = { isNew: true, ...byOf(c) }
      const { view } = await pointing(() => schedules.put(name, job, input, asked, how))
      return c.json(view, 201, { location: `/v1/schedules/${name}`, ...etag(view) })
    })
    .openapi(put, async (c) => {
      const { job, input, ...options } = c.req.valid('json')
      const { name } = c.req.valid('param')
      const asked = given({ ...options, tenant: c.get('caller').tenant })
      const putting = () => schedules.put(name, job, input, asked, byOf(c))
      const { view, created } = await pointing(putting)
      return c.json(view, created ? 201 : 200, etag(view))
    })
    .openapi(look, async (c) => {
      const view = await schedules.get(key(c))
      return c.json(view, 200, etag(view))
    })
    .openapi(remove, async (c) => {
      await schedules.remove(key(c), byOf(c, c.req.valid('query').note))
      return c.body(null, 204)
    })
    .openapi(pause, async (c) => {
      const { note } = c.req.valid('json')
      return c.json(await schedules.pause(key(c), byOf(c, note)), 200)
    })
    .openapi(resume, async (c) => {
      const { note } = c.req.valid('json')
      return c.json(await schedules.resume(key(c), byOf(c, note)), 200)
    })
    .openapi(run, async (c) => {
      const once = readKey(c.req.header('idempotency-key'))
      const by = byOf(c, c.req.valid('json').note)
      const { id } = await schedules.run(key(c), { ...given({ once }), ...by })
      const view = await watch.job(id)
      return c.json(toResource(view, links), 202, { location: pathOf(id) })
    })
    .openapi(preview, async (c) => {
      const data = await schedules.preview(key(c), c.req.valid('query').count)
      return c.json({ data }, 200)
    })
}

const etag = ({ stamp }: { stamp: string }) => ({ etag: etagOf(stamp) })
