/** Milliseconds: a moment since 1970, or a span. */
export type Millis = number

/** Where a store takes its time from. Tests lend one they move by hand. */
export interface Clock {
  now(): Millis
}

export const systemClock: Clock = { now: Date.now }

/** A span as people write it: `'90s'`, `'4m'`, `'7d'`, or a number of milliseconds. */
export type Span = number | `${number}${Unit}`
export type Unit = keyof typeof UNITS

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZES = Object.entries(UNITS)
const SPAN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Reads a span; undefined when it is none, so that the caller can say which option was wrong. */
export function parseSpan(span: unknown): Millis | undefined {
  if (typeof span === 'number')
    return Number.isFinite(span) && span >= 0 ? Math.round(span) : undefined
  const [, amount, unit] = SPAN.exec(typeof span === 'string' ? span : '') ?? []
  const [, size] = SIZES.find(([name]) => name === unit) ?? []
  return size === undefined ? undefined : Math.round(Number(amount) * size)
}

/** The span in its largest fitting unit, one decimal at most: `4m`, `1.5h`, `12ms`. */
export function formatSpan(ms: Millis): string {
  const [unit, size] = SIZES.findLast(([, size]) => ms >= size) ?? ['ms', 1]
  return `${Math.round((ms / size) * 10) / 10}${unit}`
}

/** What a timer can wait at most: past 2^31 ms it would fire at once. */
export const TIMER_MAX_MS: Millis = 2_147_483_647

/** A clock that only runs forward, the same for all processes of one machine. */
export const monotonic = (): Millis => Number(process.hrtime.bigint() / 1_000_000n)
