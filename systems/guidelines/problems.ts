import { ErrandError, hasCode } from 'errand'
import type { MiddlewareHandler } from 'hono'
import { QUEUE_KEY } from './contract.ts'

const OVERLOADED_RETRY_S = '30'

const OVERLOADED = {
  type: '/problems/service-overloaded',
  title: 'Service overloaded',
  status: 503,
  detail: 'as many guidelines wait as may; try again later',
  code: 'SERVICE_OVERLOADED',
}

/** Of what none of the keys here opens. */
export const sealedAway = () => new ErrandError('SEAL_UNKNOWN', { key: 'of it' })

/** The platform's own problems, in the words and with the status of this API. */
export const inOwnWords: MiddlewareHandler = async (c, next) => {
  await next()
  const own = wordsOf(c.error)
  if (own === undefined) return
  const problem: unknown = await c.res.json()
  const { headers, status } = c.res
  if (own === OVERLOADED) headers.set('retry-after', OVERLOADED_RETRY_S)
  c.res = new Response(JSON.stringify(Object.assign({}, problem, own)), {
    status: own.status ?? status,
    headers,
  })
}

function wordsOf(error: unknown): { status?: number; detail?: string } | undefined {
  // A field that does not fit is a 400 in this API.
  if (hasCode(error, 'VALIDATION_FAILED') || hasCode(error, 'UNSTORABLE_INPUT'))
    return { status: 400 }
  if (hasCode(error, 'LIMIT_REACHED') && error.details.key === QUEUE_KEY) return OVERLOADED
  if (hasCode(error, 'SEAL_UNKNOWN')) return { detail: 'it is sealed under a key that is not here' }
  return undefined
}
