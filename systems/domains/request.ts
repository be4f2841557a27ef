import { ErrandError } from 'errand'
import type { HonoRequest } from 'hono'
import { z } from 'zod'
import { fit } from '../common/fit.ts'
import { settings } from './settings.ts'

/** What a job may carry, with room for the rest of it. */
const TEXT_MAX = 200_000
const HOST =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$|^\[[0-9a-f:.]+\]$/

/** A domain as people paste it: spelt in one way, or nothing where it is none. */
export function toDomain(text: string): string | undefined {
  const given = text.trim()
  const url = URL.parse(given.includes('://') ? given : `http://${given}`)
  if (!url || !/^https?:$/.test(url.protocol) || url.port || url.username) return undefined
  const host = url.hostname.replace(/\.$/, '')
  return HOST.test(host) ? host : undefined
}

const Domain = z.string().transform((text, context) => {
  const domain = toDomain(text)
  if (domain !== undefined) return domain
  context.addIssue({ code: 'custom', message: 'is no domain' })
  return z.NEVER
})

export const BATCH_ID = /^(?!\.{1,2}$)[\w.:-]{1,64}$/

export const BatchRequest = z.strictObject({
  batch_id: z
    .string()
    .regex(BATCH_ID, 'needs 1 to 64 letters, digits, dots, dashes or colons')
    .optional(),
  domains: z
    .array(Domain)
    .min(1)
    .max(settings.perBatch)
    .transform((domains) => [...new Set(domains)])
    .refine((domains) => domains.join().length <= TEXT_MAX, `take ${TEXT_MAX} letters at most`),
  max_pages: z.int().min(1).max(100).default(settings.pages),
  max_concurrent: z.int().min(1).max(1000).default(settings.concurrent),
})

/** @throws ErrandError INVALID_JSON, VALIDATION_FAILED with a pointer to each mistake */
export const readRequest = async (request: HonoRequest) =>
  fit(BatchRequest, await readJson(request))

async function readJson(request: HonoRequest): Promise<unknown> {
  try {
    return await request.json()
  } catch (cause) {
    throw new ErrandError('INVALID_JSON', {}, { cause })
  }
}

/** Sites of the stand-in: some are well, some slow, and some go wrong in ways of their own. */
export const SAMPLE = {
  domains: [
    'harbour.example',
    'meadow.example',
    'moved.example',
    'slow-1.example',
    'slow-2.example',
    'slow-3.example',
    'patchy.example',
    'flaky.example',
    'missing.example',
    'inside.example',
    'sneaky.example',
    'nowhere.example',
  ],
  max_pages: 4,
  max_concurrent: settings.concurrent,
}

const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,4})/i
const WAIT_MAX_S = 55

/** How long a request prefers to wait (RFC 7240). */
export const readWait = (prefer: string | undefined): number =>
  1000 * Math.min(Number(WAIT.exec(prefer ?? '')?.[1] ?? 0), WAIT_MAX_S)
