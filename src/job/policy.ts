import { type Bytes, encodeJson, readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Backoff } from './backoff.ts'

/** Everything that decides an outcome, as it stood when the job was inserted. */
export type Policy = {
  /** Runs in all, the first included. */
  attempts: number
  backoff: Backoff
  softMs: Millis
  retryTimeouts: boolean
  onLost: 'retry' | 'fail'
  keepCompletedMs: Millis
  keepFailedMs: Millis
  /** Kept at least this long from the insert, so that a repeated request finds its job. */
  keepAtLeastMs: Millis
}

const MINUTE = 60_000
const DAY = 86_400_000

export const POLICY_DEFAULTS: Policy = {
  attempts: 4,
  backoff: { baseMs: MINUTE },
  softMs: 5 * MINUTE,
  retryTimeouts: true,
  onLost: 'retry',
  keepCompletedMs: DAY,
  keepFailedMs: 30 * DAY,
  keepAtLeastMs: 0,
}

/** Only what differs from the defaults is written, so most jobs carry two bytes. */
export function encodePolicy(policy: Partial<Policy>): Bytes {
  const defaults: Record<string, unknown> = POLICY_DEFAULTS
  const own = Object.entries(policy).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key]),
  )
  return encodeJson(Object.fromEntries(own)) ?? new Uint8Array()
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
    policy = { ...POLICY_DEFAULTS, ...readOwn<Partial<Policy>>(bytes, {}) }
    byText.set(text, policy)
  }
  return policy
}
