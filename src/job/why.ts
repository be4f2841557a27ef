import { formatSpan, type Millis } from '../base/time.ts'
import type { Job } from './job.ts'
import type { PauseView } from './pause.ts'
import { readPolicy } from './policy.ts'
import { isEnded } from './state.ts'
import { iso } from './view.ts'

/**
 * The one reason why a job is not running, or where it stands. The key is the code; `docs/states.md` lists them. What
 * holds a job back by another rule adds a line here and a rule below.
 */
const REASONS = {
  ENDED: 'it is {state}{reason} since {at}',
  RUNNING: 'it runs, since {at}',
  CANCEL_ASKED: 'it runs, but its cancel was asked: its worker is about to end it',
  BACKS_OFF: 'it failed {failures} of {attempts} times and is tried again in {span}, at {at}',
  NOT_DUE: 'it is due in {span}, at {at}',
  DUE: 'it has been due since {at}: the next worker that asks makes it ready',
  WAITS_FOR_HANDLER:
    'it waits for a worker that has a handler named {job}, and its keys if it is sealed',
  WAITS_FOR_TIME: 'it sleeps ({name}) until {at}',
  WAITS_FOR_SIGNAL: 'it waits for the signal {name}{until}',
  WAITS_FOR_CHILD: 'it waits for the job that it called as {name}',
  WAITS: 'it waits for {what}{until}',
  QUEUE_PAUSED: 'its queue {queue} is paused since {since}{by}{reason}',
  HELD: 'all {running} places of the key {key} are taken: it waits in its line',
  NO_WORKER: 'no worker is alive; start one with: errand worker',
  NO_WORKER_FOR_QUEUE: 'no worker that is alive takes from the queue {queue}',
  WORKERS_FULL:
    'all {places} places of the workers for {queue} are taken, and {ahead} leave before it',
  BEHIND: '{ahead} of its queue leave before it',
  NEXT: 'it is the next of its queue: a worker is about to take it',
} as const

export type WhyCode = keyof typeof REASONS
export const WHY_CODES: readonly string[] = Object.keys(REASONS)

/** Why a job stands where it stands: a code for programs, a sentence for people. */
export type Why = {
  code: WhyCode
  text: string
  /** Of a ready job: how many leave before it, counted to 1 000. */
  ahead?: number
}

/** A worker as far as it matters here; `queues` empty: all of them. */
export type Hand = { queues: readonly string[]; places: number; running: number }

export type Facts = {
  job: Job
  now: Millis
  /** How many leave before it, where it is ready; counted to `aheadMax`. */
  ahead: number
  aheadMax: number
  /** Those that are alive. */
  workers: readonly Hand[]
  /** Where it is ready and its queue is paused. */
  pause?: PauseView
}

type Rule = (facts: Facts) => Why | undefined

const say = (code: WhyCode, blanks: Record<string, string | number> = {}): Why => ({
  code,
  text: REASONS[code].replace(/{(\w+)}/g, (_, blank: string) => `${blanks[blank]}`),
})

const ended: Rule = ({ job: { state, reason, endedAt = 0 } }) =>
  isEnded(state)
    ? say('ENDED', { state, reason: reason === undefined ? '' : ` (${reason})`, at: iso(endedAt) })
    : undefined

const runs: Rule = ({ job: { state, cancelAsked, startedAt = 0 } }) => {
  if (state !== 'running') return undefined
  return cancelAsked ? say('CANCEL_ASKED') : say('RUNNING', { at: iso(startedAt) })
}

const comes: Rule = ({ job, now }) => {
  const { state, runAt, failures, crashes, losses } = job
  if (state !== 'scheduled') return undefined
  const at = { at: iso(runAt), span: formatSpan(Math.max(0, runAt - now)) }
  if (runAt <= now) return say('DUE', at)
  if (failures + crashes + losses === 0) return say('NOT_DUE', at)
  return say('BACKS_OFF', { ...at, failures, attempts: readPolicy(job.policy).attempts })
}

const waits: Rule = ({ job: { state, job, waitingFor = '', wakesAt } }) => {
  if (state !== 'waiting') return undefined
  if (waitingFor === 'handler') return say('WAITS_FOR_HANDLER', { job })
  const at = wakesAt === undefined ? '' : iso(wakesAt)
  const until = at === '' ? '' : `, until ${at} at most`
  const [, kind, name = ''] = /^(sleep|signal|call):([^,]*)$/.exec(waitingFor) ?? []
  if (kind === 'sleep') return say('WAITS_FOR_TIME', { name, at })
  if (kind === 'signal') return say('WAITS_FOR_SIGNAL', { name, until })
  if (kind === 'call') return say('WAITS_FOR_CHILD', { name })
  return say('WAITS', { what: waitingFor, until })
}

const isHeld: Rule = ({ job: { heldBy, limits = [] } }) => {
  const limit = limits.find(({ key }) => key === heldBy)
  return limit && say('HELD', { key: limit.key, running: limit.running ?? 0 })
}

const isPaused: Rule = ({ job: { queue }, pause }) => {
  if (pause === undefined) return undefined
  const { since, person, reason } = pause
  const by = person === undefined ? '' : ` by ${person}`
  return say('QUEUE_PAUSED', {
    queue,
    since,
    by,
    reason: reason === undefined ? '' : `: ${reason}`,
  })
}

const hasNoWorker: Rule = ({ job: { queue }, workers, ahead }) => {
  if (workers.length === 0) return { ...say('NO_WORKER'), ahead }
  return workers.some((worker) => takesFrom(worker, queue))
    ? undefined
    : { ...say('NO_WORKER_FOR_QUEUE', { queue }), ahead }
}

const stands: Rule = ({ job: { queue }, workers, ahead: count, aheadMax }) => {
  const ahead = count >= aheadMax ? `${aheadMax} or more` : `${count}`
  const takers = workers.filter((worker) => takesFrom(worker, queue))
  const places = takers.reduce((sum, worker) => sum + worker.places, 0)
  if (takers.every(({ running, places: own }) => running >= own))
    return { ...say('WORKERS_FULL', { places, queue, ahead }), ahead: count }
  return { ...(count === 0 ? say('NEXT') : say('BEHIND', { ahead })), ahead: count }
}

const takesFrom = ({ queues }: Hand, queue: string): boolean =>
  queues.length === 0 || queues.includes(queue)

/** The first that has something to say is right. */
const RULES: readonly Rule[] = [ended, runs, comes, waits, isPaused, isHeld, hasNoWorker, stands]

export function whyOf(facts: Facts): Why {
  for (const rule of RULES) {
    const why = rule(facts)
    if (why) return why
  }
  return say('NEXT')
}
