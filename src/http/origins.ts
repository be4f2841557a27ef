import { cors } from 'hono/cors'
import type { Context, MiddlewareHandler } from 'hono'
import type { App, Env } from './app.ts'

type House = Pick<App, 'mount' | 'origins' | 'open'>

/** What browsers hide from pages elsewhere unless it is named. */
const TOLD = ['etag', 'location', 'retry-after', 'x-request-id']

/**
 * Pages of the origins that an app names may ask its own routes (Fetch, CORS protocol). Asking beforehand they bring no
 * credentials, so that is answered before anybody is asked who he is.
 */
export function share(app: App): MiddlewareHandler<Env> {
  const guards = housesIn(app).flatMap((house) => {
    const { origins = [] } = house
    if (origins.length === 0) return []
    const guard = cors({ origin: [...origins], credentials: true, exposeHeaders: TOLD })
    return [{ house, guard }]
  })
  return (c, next) => guards.find(({ house }) => isOwn(house, c.req.path))?.guard(c, next) ?? next()
}

/** Whether a request comes from a page that the app of its path names. */
export const isShared = (app: App, c: Context<Env>): boolean =>
  housesIn(app).some(
    (house) =>
      isOwn(house, c.req.path) && house.origins?.includes(c.req.header('origin') ?? '') === true,
  )

/** Whether it asks to read what an app has for everybody. */
export const isOpen = (app: App, c: Context<Env>): boolean =>
  ['GET', 'HEAD'].includes(c.req.method) &&
  housesIn(app).some(({ mount = '', open = [] }) =>
    open.some((path) => `${mount}${path}` === c.req.path),
  )

/** Guests first: each is asked for what lies below its own mount. */
const housesIn = ({ apps = [], ...host }: App): House[] => [...apps, host]

const isOwn = ({ mount }: House, path: string): boolean =>
  !path.startsWith('/v1/') &&
  (mount === undefined || path === mount || path.startsWith(`${mount}/`))
