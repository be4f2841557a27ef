import { attemptOf, broughtBy, type Outcome, type Word } from '../../job/outcome.ts'
import type { Settlement } from '../contract.ts'
import { blobs, hex, optional, plain, texts } from './arrays.ts'
import type { Values } from './connection.ts'
import { toNewJob } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { numberOf } from './rows.ts'

const COUNTERS = ['', 'failures', 'crashes', 'losses']

/** Settlements as the arrays of `exchange`; nulls when there are none. */
export function toArrays(settlements: readonly Settlement[], kinds: Kinds): Values {
  if (settlements.length === 0) return Array<null>(12).fill(null)
  const outcomes = settlements.map(({ outcome }) => outcome)
  const raises = outcomes.map((outcome) => ('raise' in outcome ? outcome.raise : undefined))
  const rest = restOf(outcomes, kinds)
  return [
    plain(settlements.map(({ id }) => id)),
    plain(settlements.map(({ fence }) => fence)),
    plain(outcomes.map(({ to }) => numberOf(to))),
    plain(outcomes.map((outcome) => ('delayMs' in outcome ? outcome.delayMs : undefined))),
    plain(outcomes.map((outcome) => ('keepMs' in outcome ? outcome.keepMs : undefined))),
    plain(raises.map((raise) => COUNTERS.indexOf(raise ?? ''))),
    plain(outcomes.map((outcome) => (outcome.to === 'ready' ? outcome.begun : 'one' in outcome))),
    plain(outcomes.map((outcome) => outcome.to === 'completed' && outcome.withErrors)),
    optional(
      outcomes.map((outcome) => (outcome.to === 'failed' ? outcome.reason : undefined)),
      texts,
    ),
    optional(
      outcomes.map((outcome) => ('result' in outcome ? outcome.result : undefined)),
      blobs,
    ),
    optional(outcomes.map(errorOf), blobs),
    Object.keys(rest).length > 0 ? JSON.stringify(rest) : null,
  ]
}

/** Each settlement once, the first of its kind, and where the answer to each that was given stands. */
export function eachOnce(settlements: readonly Settlement[]): {
  once: readonly Settlement[]
  places: readonly number[]
} {
  const found = new Map<string, number>()
  const once: Settlement[] = []
  const places = settlements.map((settlement) => {
    const name = `${settlement.id} ${settlement.fence}`
    const place = found.get(name) ?? once.push(settlement) - 1
    found.set(name, place)
    return place
  })
  return { once, places }
}

const errorOf = (outcome: Outcome) => ('error' in outcome ? outcome.error : undefined)

/** What few outcomes have: runs to be remembered, files, hooks, waits, words; each with the place of its settlement. */
function restOf(outcomes: readonly Outcome[], kinds: Kinds) {
  const placed = outcomes.map((outcome, i) => ({ outcome, place: i + 1 }))
  const attempts = placed
    .map(({ outcome, place }) => ({ place, outcome: attemptOf(outcome) }))
    .filter((attempt) => attempt.outcome !== undefined)
  const artifacts = placed.flatMap(({ outcome, place }) =>
    outcome.to === 'completed'
      ? outcome.artifacts.map(({ keepMs, ...artifact }) => ({
          place,
          keep_ms: keepMs,
          ...artifact,
        }))
      : [],
  )
  const waits = placed.flatMap(({ outcome, place }) =>
    'one' in outcome
      ? [
          {
            place,
            what: outcome.for,
            wake_at: outcome.wakeAt,
            one: outcome.one,
            every: outcome.all,
          },
        ]
      : [],
  )
  const drops = placed.flatMap(({ outcome, place }) =>
    outcome.to === 'completed'
      ? Object.entries(outcome.drops ?? {}).map(([what, ms]) => ({ place, what, ms }))
      : [],
  )
  const words = placed.flatMap(({ outcome, place }) =>
    'word' in outcome && outcome.word ? [toWord(outcome.word, place)] : [],
  )
  const followers = placed.flatMap(({ outcome, place }) =>
    broughtBy(outcome).map((hook) => ({ place, hook })),
  )
  return {
    ...(attempts.length > 0 && { attempts }),
    ...(artifacts.length > 0 && { artifacts }),
    ...(drops.length > 0 && { drops }),
    ...(waits.length > 0 && { waits }),
    ...(words.length > 0 && { words }),
    ...(followers.length > 0 && {
      hooks: followers.map(({ place, hook }) => ({ place, ...toNewJob(hook, kinds) })),
      kinds: kinds.of(followers.map(({ hook }) => hook)),
    }),
  }
}

/** What an end says to the job that called it, as `tell` takes it. */
export const toWord = ({ to, name, key, urgent = false, value }: Word, place: number) => ({
  place,
  job: to,
  name,
  key,
  urgent,
  value: `\\x${hex(value)}`,
})
