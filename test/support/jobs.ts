import { newId } from '../../src/base/id.ts'
import type { Bytes } from '../../src/base/json.ts'
import type { JobId, NewJob } from '../../src/job/job.ts'
import type { Cancelling, Counter, Outcome, Suspension } from '../../src/job/outcome.ts'
import { encodePolicy } from '../../src/job/policy.ts'
import type { Cancel } from '../../src/store/contract.ts'

export const SECOND = 1000
export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export const bytes = (text: string): Bytes => new TextEncoder().encode(text)

/** What bytes spell; undefined for none. */
export const textOf = (given: Bytes | undefined): string | undefined =>
  given && new TextDecoder().decode(given)

/** A job that can be stored at once, with a fresh id. */
export const chore = (over: Partial<NewJob> = {}): NewJob => ({
  id: newId(),
  job: 'chore',
  queue: 'default',
  tenant: '',
  priority: 5,
  input: bytes('{}'),
  policy: encodePolicy({}),
  ...over,
})

/** Many of them, each with an id of its own. */
export const chores = (count: number, over: Omit<Partial<NewJob>, 'id'> = {}): NewJob[] =>
  Array.from({ length: count }, () => chore(over))

export const completed = (over: Partial<Extract<Outcome, { to: 'completed' }>> = {}): Outcome => ({
  to: 'completed',
  withErrors: false,
  artifacts: [],
  keepMs: DAY,
  ...over,
})

export const failed = (over: Partial<Extract<Outcome, { to: 'failed' }>> = {}): Outcome => ({
  to: 'failed',
  reason: 'error',
  error: bytes('broken'),
  raise: 'failures',
  keepMs: DAY,
  ...over,
})

export const cancelled = (): Cancelling => ({ to: 'cancelled', keepMs: DAY })

/** What cancels these jobs, and keeps their records for so long. */
export const cancels = (ids: readonly JobId[], keepMs = DAY): Cancel[] =>
  ids.map((id) => ({ id, outcome: { to: 'cancelled', keepMs } }))

const REASONS = { failures: 'error', crashes: 'crashed', losses: 'lost' } as const

export const again = (delayMs: number, raise: Counter = 'failures'): Outcome => ({
  to: 'scheduled',
  delayMs,
  reason: REASONS[raise],
  error: bytes('broken'),
  raise,
})

export const released = (begun = false): Outcome => ({ to: 'ready', begun })
export const parked = (): Outcome => ({ to: 'waiting', for: 'handler' })

/** Set aside until something comes. */
export const suspended = (over: Partial<Omit<Suspension, 'to'>> = {}): Suspension => ({
  to: 'waiting',
  for: 'signal:go',
  one: [],
  all: [],
  ...over,
})
