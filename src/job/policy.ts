import { type Bytes, encodeJson, readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Backoff } from './backoff.ts'
import type { Limit } from './job.ts'

/** Everything that decides an outcome, as it stood when the job was inserted. */
export type Policy = {
  /** Runs in all, the first included. */
  attempts: number
  backoff: Backoff
  /** One attempt's time: at `softMs` its abort signal fires, at `hardMs` its process is killed. */
  softMs: Millis
  hardMs: Millis
  retryTimeouts: boolean
  onLost: 'retry' | 'fail'
  /** It never shares an executor with others. */
  isolate: boolean
  /** How what it carries rests in a store. */
  data: DataRest
  /** All that it may carry where that is `reference`. */
  references?: readonly string[]
  onSuccess?: Hook
  onFailure?: Hook
  keepCompletedMs: Millis
  keepFailedMs: Millis
  /** Of a completed job, where that is to go before its record. */
  keepInputMs?: Millis
  keepResultMs?: Millis
  /** Of a file of which its handler does not say it. */
  keepFilesMs?: Millis
  /** Kept at least this long from the insert, so that a repeated request finds its job. */
  keepAtLeastMs: Millis
}

export type DataRest = 'inline' | 'sealed' | 'reference'

/** What is known of a hook when the job it belongs to is inserted: all but the ending it is for. */
export type Hook = {
  job: string
  queue: string
  priority: number
  policy: Partial<Policy>
  limits?: readonly Limit[]
}

const MINUTE = 60_000
const DAY = 86_400_000
/** Unless said otherwise, what ignores its abort signal is killed this long after it. */
export const HARD_AFTER_MS = 5000

export const POLICY_DEFAULTS: Policy = {
  attempts: 4,
  backoff: { baseMs: MINUTE },
  softMs: 5 * MINUTE,
  hardMs: 5 * MINUTE + HARD_AFTER_MS,
  retryTimeouts: true,
  onLost: 'retry',
  isolate: false,
  data: 'inline',
  keepCompletedMs: DAY,
  keepFailedMs: 30 * DAY,
  keepAtLeastMs: 0,
}

/** Only what differs from the defaults is written, so most jobs carry two bytes. */
export function encodePolicy(policy: Partial<Policy>): Bytes {
  return encodeJson(ownOf(policy)) ?? new Uint8Array()
}

export function ownOf(policy: Partial<Policy>): Partial<Policy> {
  const defaults: Record<string, unknown> = POLICY_DEFAULTS
  const own = Object.entries(policy).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key]),
  )
  return Object.fromEntries(own)
}

/** Jobs of one definition share their policy to the byte, so reading is remembered. */
const byText = new Map<string, Policy>()
const byBytes = new WeakMap<Bytes, Policy>()
const KNOWN_MAX = 1000

export function readPolicy(bytes: Bytes): Policy {
  let policy = byBytes.get(bytes)
  if (policy === undefined) {
    policy = readByText(bytes)
    byBytes.set(bytes, policy)
  }
  return policy
}

function readByText(bytes: Bytes): Policy {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  let policy = byText.get(text)
  if (policy === undefined) {
    if (byText.size >= KNOWN_MAX) byText.clear()
    policy = complete(readOwn<Partial<Policy>>(bytes, {}))
    byText.set(text, policy)
  }
  return policy
}

/** A job inserted before there were hard limits has one that follows its own soft limit. */
function complete(own: Partial<Policy>): Policy {
  const softMs = own.softMs ?? POLICY_DEFAULTS.softMs
  const hardMs = softMs + HARD_AFTER_MS
  return { ...POLICY_DEFAULTS, hardMs, isolate: own.onLost === 'fail', ...own }
}
