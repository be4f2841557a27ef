import { nearest } from '../base/nearest.ts'
import { type Millis, parseSpan } from '../base/time.ts'
import { ErrandError } from './errors.ts'

/** As far ahead as anything may be planned. */
export const YEAR_MS = 366 * 86_400_000

/** Refuses a key that is not among the known ones, and names the nearest that is. */
export function refuseUnknown(given: object, known: readonly string[]): void {
  const option = Object.keys(given).find((key) => !known.includes(key))
  if (option === undefined) return
  const close = nearest(option, known)
  throw new ErrandError('UNKNOWN_OPTION', {
    option,
    hint: close === undefined ? '' : `; did you mean ${close}?`,
  })
}

/** A span option in milliseconds. Throws INVALID_OPTION. */
export function readSpan(
  option: string,
  span: unknown,
  { min = 0, max = Number.MAX_SAFE_INTEGER } = {},
): Millis {
  const ms = parseSpan(span)
  if (ms === undefined) return refuse(option, `needs a span such as '90s', '4m' or '7d'`)
  if (ms < min || ms > max) return refuse(option, `must lie between ${min} and ${max} ms`)
  return ms
}

/** A whole number within bounds. Throws INVALID_OPTION. */
export function readCount(
  option: string,
  count: unknown,
  { min = 0, max = Number.MAX_SAFE_INTEGER } = {},
): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= min && count <= max)
    return count
  return refuse(option, `needs a whole number from ${min} to ${max}`)
}

/** One of a few words. Throws INVALID_OPTION. */
export function readChoice<Choice extends string>(
  option: string,
  choice: unknown,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((one) => one === choice)
  return found ?? refuse(option, `needs one of ${choices.join(', ')}`)
}

const NAME = /^[a-z][a-z0-9._-]{0,99}$/

/** A name of a job or queue. Throws INVALID_OPTION. */
export function readName(option: string, name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name
  return refuse(option, 'needs 1 to 100 of a-z, 0-9, dot, dash and underscore, a letter first')
}

/** A short text without control characters. Throws INVALID_OPTION. */
export function readText(option: string, text: unknown, { max = 255 } = {}): string {
  const fits = typeof text === 'string' && text.length > 0 && text.length <= max
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (fits && !/[\u0000-\u001f\u007f]/.test(text)) return text
  return refuse(option, `needs 1 to ${max} characters, none of them control characters`)
}

/** Options as one text, in whatever order they were named. */
export const spell = (options: object): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  )

/** A moment as people give it; undefined when it is none. */
export function readMoment(moment: Date | Temporal.Instant | string): Millis | undefined {
  try {
    const at =
      moment instanceof Date ? moment.getTime() : Temporal.Instant.from(moment).epochMilliseconds
    return Number.isFinite(at) ? Math.max(at, 0) : undefined
  } catch {
    return undefined
  }
}

function refuse(option: string, problem: string): never {
  throw new ErrandError('INVALID_OPTION', { option, problem })
}
