import { isIP } from 'node:net'
import type { Context } from 'hono'
import { z } from 'zod'
import { fit, unfit } from '../common/fit.ts'
import { isPublic } from '../common/public.ts'
import { GuidelineInput, TEXT_SAID } from './contract.ts'

const METADATA_KEYS_MAX = 10
const METADATA_BYTES_MAX = 1024

/** Control characters have no place in a guideline; line breaks are of one kind. All else is kept as it came. */
// oxlint-disable-next-line no-control-regex -- that is what is taken out
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g
const sanitise = (text: string) => text.replaceAll(/\r\n?/g, '\n').replaceAll(CONTROL, '').trim()

const Text = z.string(TEXT_SAID).transform(sanitise).pipe(GuidelineInput.shape.guidelines)

const Metadata = z
  .record(z.string(), z.json())
  .refine((given) => Object.keys(given).length <= METADATA_KEYS_MAX, {
    message: `has more than ${METADATA_KEYS_MAX} keys`,
  })
  .refine((given) => Buffer.byteLength(JSON.stringify(given)) <= METADATA_BYTES_MAX, {
    message: `has more than ${METADATA_BYTES_MAX} bytes`,
  })

/** As far as the address itself tells; a name is looked at when it is called. */
function isOutside(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username || url.password) return false
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(host) ? isPublic(host) : !/(^|\.)localhost\.?$/.test(host)
}

/** What a POST to /jobs may say. The text may also be called `guideline_text`. */
const Submission = z.preprocess(
  renamed,
  z.strictObject({
    guidelines: Text,
    callback_url: z
      .url({ protocol: /^https$/, error: 'is not an https URL' })
      .refine(isOutside, 'is no URL of the public internet, without a name and a password')
      .optional(),
    priority: z.enum(['low', 'normal', 'high']).default('normal'),
    metadata: Metadata.optional(),
  }),
)

/** What a person may say of a dead letter. */
const Review = z.strictObject({
  note: z.string().trim().min(1).max(500).optional(),
  /** A corrected text, in place of the one that failed. */
  guidelines: Text.optional(),
})

export type Submission = z.infer<typeof Submission>

export const readSubmission = async (c: Context) => fit(Submission, await bodyOf(c))
export const readReview = async (c: Context) => fit(Review, (await bodyOf(c)) ?? {})

const Page = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(1).optional(),
})

/** Which page of a list is asked for. */
export const readPage = (c: Context) => fit(Page, c.req.query())

const Id = z.uuid()

/** @throws ErrandError VALIDATION_FAILED for a text that cannot be an id */
export function readId(c: Context): string {
  const { success, data } = Id.safeParse(c.req.param('event_id'))
  if (success) return data.toLowerCase()
  throw unfit([{ pointer: '/event_id', code: 'invalid_format', detail: 'is not a UUID' }])
}

async function bodyOf(c: Context): Promise<unknown> {
  const text = await c.req.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw unfit([{ pointer: '', code: 'invalid_json', detail: 'is not JSON' }])
  }
}

function renamed(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('guideline_text' in given)) return given
  // Of two texts nobody knows which is meant.
  if ('guidelines' in given) return given
  const { guideline_text: guidelines, ...rest } = given
  return { guidelines, ...rest }
}
