import { ErrandError } from 'errand'
import type { z } from 'zod'

const ISSUES_MAX = 50
const PART_MAX = 100

/**
 * What somebody sent, as a schema has it.
 * @throws ErrandError VALIDATION_FAILED, each fault with its place, in words that go on from the name of the field
 */
export function fit<Of extends z.ZodType>(schema: Of, given: unknown): z.output<Of> {
  const { success, data, error } = schema.safeParse(given, { error: inWords })
  if (success) return data
  throw unfit(error.issues.flatMap(toFaults).slice(0, ISSUES_MAX))
}

export type Fault = { pointer: string; code: string; detail: string }

export const unfit = (issues: readonly Fault[]) =>
  new ErrandError('VALIDATION_FAILED', {}, { issues })

/** One unknown field is one fault, at its own place. */
function toFaults(issue: z.core.$ZodIssue): Fault[] {
  const { code, path, message: detail } = issue
  if (code !== 'unrecognized_keys')
    return [{ pointer: pointerTo(path), code: code === 'custom' ? 'invalid' : code, detail }]
  return issue.keys.map((key) => ({
    pointer: pointerTo([...path, named(key)]),
    code: 'unknown_field',
    detail: 'is not known here',
  }))
}

/** What is no name may be a number of somebody, by mistake. */
const named = (key: string) => (/^[a-z]\w*$/i.test(key) ? key : '…')

const pointerTo = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${escape(String(part).slice(0, PART_MAX))}`).join('')

const escape = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')

const KINDS = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
])
const FORMATS = new Map([
  ['uuid', 'a UUID'],
  ['url', 'a URL'],
  ['email', 'an address of mail'],
  ['datetime', 'a moment such as 2026-11-21T02:00:00Z'],
])

/** What is said where a schema has no words of its own. */
function inWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : mustBe(KINDS.get(issue.expected))
    case 'invalid_value':
      return mustBe(`one of ${issue.values.map(String).join(', ')}`)
    case 'invalid_format':
      return mustBe(FORMATS.get(issue.format))
    case 'too_small':
      if (issue.minimum === 1 && issue.origin !== 'number') return 'must not be empty'
      return `must ${sized(issue.origin, 'at least', issue.minimum)}`
    case 'too_big':
      return `must ${sized(issue.origin, 'at most', issue.maximum)}`
    default:
      return mustBe(undefined)
  }
}

const mustBe = (what: string | undefined) =>
  what === undefined ? 'does not fit' : `must be ${what}`

function sized(origin: string, bound: string, size: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${size} characters`
  return origin === 'array' ? `have ${bound} ${size} entries` : `be ${bound} ${size}`
}
