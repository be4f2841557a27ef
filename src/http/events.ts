import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { isEnded } from '../job/state.ts'
import type { JobView as View } from '../job/view.ts'
import type { Env } from './app.ts'
import { problem } from './document.ts'
import type { Links } from './links.ts'
import type { Parts } from './parts.ts'
import { whileAwaited } from './prefer.ts'
import { toResource } from './resource.ts'
import { JobPath } from './schemas.ts'

/** A stream that has nothing to tell says this often that it lives. */
const HEARTBEAT_MS = 15_000

/** When a client that lost its stream comes back: not all at once after a restart. */
const RETRY_MS = { min: 1000, max: 5000 }

const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }

const follow = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/events',
  request: { params: JobPath },
  responses: {
    200: {
      description:
        'Server-sent events named `job`: each the job as JSON, its `rev` as the id. The present one ' +
        'is sent at once, unless `Last-Event-ID` names it. The stream ends with the job.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    204: { description: 'It has ended, and `Last-Event-ID` names its end: do not come back' },
    default: problem,
  },
})

/** A job as it changes. Who comes back is told how it stands now, so nothing is stored for events. */
export const events = ({ errand: { watch }, links, settings }: Parts) =>
  new OpenAPIHono<Env>().openapi(follow, async (c) => {
    const view = await watch.job(c.req.valid('param').id, c.get('caller').tenant)
    const isSeen = c.req.header('last-event-id') === `${view.rev}`
    // A browser comes back whenever a stream ends, unless it is answered with this.
    if (isSeen && isEnded(view.state)) return c.body(null, 204)
    const later = watch.follow(view, HEARTBEAT_MS, whileAwaited(c, settings))
    const frames = framesOf(isSeen ? undefined : view, later, links)
    // A frame is made when the connection takes it: nothing is queued for who reads slowly.
    return c.body(ReadableStream.from(frames), 200, HEADERS)
  })

async function* framesOf(
  present: View | undefined,
  later: AsyncIterable<View | undefined>,
  links: Links,
): AsyncGenerator<Uint8Array> {
  yield encode(`retry: ${Math.round(RETRY_MS.min + Math.random() * (RETRY_MS.max - RETRY_MS.min))}`)
  if (present) yield encode(toEvent(present, links))
  for await (const view of later) yield encode(view ? toEvent(view, links) : ':')
}

const toEvent = (view: View, links: Links): string =>
  `event: job\nid: ${view.rev}\ndata: ${JSON.stringify(toResource(view, links))}`

const encode = (frame: string): Uint8Array => new TextEncoder().encode(`${frame}\n\n`)
