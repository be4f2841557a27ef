import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { findUnfit } from '../base/json.ts'
import { ErrandError } from '../job/errors.ts'
import type { App, Env } from './app.ts'
import { isNdjson } from './ndjson.ts'

export const BODY_BYTES_MAX = 1_048_576

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

// The envelope is one level and a few members around an input.
const LIMITS = { depthMax: 65, membersMax: 10_100 }

/** The largest body that may come to a path: an app may say it for its own routes. */
function bodyMaxOf(app: App): (path: string) => number {
  const sayers = [...(app.apps ?? []), app].filter(({ bodyMax }) => bodyMax !== undefined)
  return (path) => {
    if (path.startsWith('/v1/')) return BODY_BYTES_MAX
    const sayer = sayers.find(({ mount = '' }) => `${path}/`.startsWith(`${mount}/`))
    return sayer?.bodyMax ?? BODY_BYTES_MAX
  }
}

/** Holds every body to its limit: by what it says of its length before a byte is read, else by counting. */
export function limitBody(app: App): MiddlewareHandler<Env> {
  const maxOf = bodyMaxOf(app)
  return (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    // Items are read as they come, and never held: each has a limit of its own.
    const isStream = c.req.path === '/v1/batches' && isNdjson(c.req.header('content-type'))
    if (c.req.header('content-encoding') !== undefined)
      throw new ErrandError('UNSUPPORTED_ENCODING', {})
    if (isStream) return next()
    const max = maxOf(c.req.path)
    const tooLarge = () => {
      throw new ErrandError('BODY_TOO_LARGE', { max })
    }
    const length = c.req.header('content-length')
    if (length === undefined || c.req.header('transfer-encoding') !== undefined)
      return bodyLimit({ maxSize: max, onError: tooLarge })(c, next)
    return Number(length) > max ? tooLarge() : next()
  }
}

/** Lets a body pass only if it is JSON that can be stored and come back the same. */
export const jsonBodyOf =
  (limits: typeof LIMITS): MiddlewareHandler<Env> =>
  async (c, next) => {
    if (!JSON_TYPE.test(c.req.header('content-type') ?? ''))
      throw new ErrandError('UNSUPPORTED_MEDIA_TYPE', {})
    const unfit = findUnfit(parse(await readBytes(c.req)), limits)
    if (unfit) throw unstorable(unfit.pointer, unfit.why)
    await next()
  }

export const jsonBody = jsonBodyOf(LIMITS)

/** As `jsonBody`, where a request may come without a body. */
export const optionalJsonBody: MiddlewareHandler<Env> = async (c, next) => {
  const isEmpty =
    c.req.header('content-type') === undefined && (await readBytes(c.req)).byteLength === 0
  return isEmpty ? next() : jsonBody(c, next)
}

/** Spares an app's own routes JSON that is none; what it may say is theirs to judge. */
export const wellFormedJson: MiddlewareHandler<Env> = async (c, next) => {
  if (JSON_TYPE.test(c.req.header('content-type') ?? '')) {
    const bytes = await readBytes(c.req)
    if (bytes.byteLength > 0) parse(bytes)
  }
  await next()
}

/** A body cut off by its sender is no JSON either. */
const readBytes = (req: { arrayBuffer(): Promise<ArrayBuffer> }): Promise<ArrayBuffer> =>
  req.arrayBuffer().catch((cause: unknown) => {
    throw new ErrandError('INVALID_JSON', {}, { cause })
  })

function parse(bytes: ArrayBuffer): unknown {
  const text = decode(bytes)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ErrandError('INVALID_JSON', {}, { cause })
  }
}

function decode(bytes: ArrayBuffer): string {
  try {
    // A byte order mark is kept, so that it is refused as JSON has it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new ErrandError('INVALID_UTF8', {}, { cause })
  }
}

const unstorable = (pointer: string, why: string) =>
  new ErrandError(
    'VALIDATION_FAILED',
    {},
    {
      issues: [{ pointer: pointer.slice(0, 200), code: why, detail: 'cannot be stored as it is' }],
    },
  )
