import { createHash } from 'node:crypto'
import { derivedId } from '../base/id.ts'
import { type Bytes, encodeJson, readOwn } from '../base/json.ts'
import type { Millis, Span } from '../base/time.ts'
import type { Definition } from './define.ts'
import { ErrandError } from './errors.ts'
import type { JobId, NewJob } from './job.ts'
import { readChoice, readName, readSpan, refuseUnknown, YEAR_MS } from './options.ts'
import { type EnqueueOptions, prepare } from './prepare.ts'
import { momentsOf, type NextCron, readRule, type Rule, type RuleOptions } from './rule.ts'
import type { Keyring } from './seal.ts'
import { isPrivate, needKeys, resealNew, sealNew } from './sealing.ts'

/** What may be said of a schedule beside its name, its job and the input of that. */
export type ScheduleOptions = RuleOptions &
  Pick<EnqueueOptions, 'queue' | 'priority' | 'tenant' | 'tags' | 'expiresIn' | 'deadline'> & {
    /**
     * What becomes of moments that passed while nobody was up to fire: `once`, unless said, fires for the last of
     * them; `all` fires for each; `skip` for none that is a minute old.
     */
    missed?: Missed
    /** How old such a moment may be; a day unless said. With `all`, 1 000 may lie within it. */
    missedWithin?: Span
    /** `skip` leaves a moment out while the run before has not ended; `allow`, unless said, does not ask. */
    overlap?: Overlap
  }

export const MISSED = ['skip', 'once', 'all'] as const
export type Missed = (typeof MISSED)[number]
export const OVERLAPS = ['allow', 'skip'] as const
export type Overlap = (typeof OVERLAPS)[number]

/** A rule that enqueues: what it says, and how it stands. */
export type Schedule = Terms & {
  /** By what its terms are known again. */
  print: string
  /** The app whose code names it, and what all that this names is known by. */
  origin?: Origin
  paused: boolean
  fired: number
  /** Moments that nobody fired, as far as they were counted; and those left out while a run went on. */
  missedCount: number
  skippedCount: number
  last?: { at: Millis; job: JobId }
}

export type Terms = {
  rule: Rule
  missed: Missed
  withinMs: Millis
  overlap: Overlap
  job: Template
}

export type Origin = { app: string; set: string }

/** What the code of an app names. Apps that share a store are told apart by their mount. */
export type Planned = { app: string; plans: readonly Plan[] }

/** By what all that an app names is known again. */
export function setOf({ app, plans }: Planned): string {
  const prints = plans.map(({ key, print }) => `${key} ${print}`).toSorted()
  return createHash('sha256')
    .update([app, ...prints].join('\n'))
    .digest('base64url')
    .slice(0, 22)
}

/** The job that is fired: all but its id, its bytes in base64. A private input is sealed for the schedule. */
type Template = Omit<NewJob, 'id' | 'input' | 'policy'> & { input: string; policy: string }

/** A schedule as it is asked for, under the name it is kept by. */
export type Plan = { key: string; terms: Terms; print: string }

/** The kind of entries that schedules are. */
export const SCHEDULE = 'schedule'

const KNOWN = ['cron', 'zone', 'every', 'start', 'missed', 'missedWithin', 'overlap']
const JOB_OPTIONS = ['queue', 'priority', 'tenant', 'tags', 'expiresIn', 'deadline']
/** As tags go, with what is before it. */
const NAME_MAX = 90
/** An entry is read often: what is larger belongs elsewhere. */
const INPUT_MAX = 32_768
/** Who fires a minute late was being started. */
const SKIP_WITHIN_MS = 60_000
const DAY_MS = 86_400_000
export const CAUGHT_UP_MAX = 1000

/** The name that it is kept under: those of a tenant are its own. No name holds a slash. */
export const keyOf = (name: string, tenant = ''): string =>
  tenant === '' ? name : `${tenant}/${name}`

export const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1)

/** Jobs that a schedule fired carry this tag. */
export const tagOf = (name: string): string => `schedule:${name}`

export type Asked = {
  name: string
  definition: Definition
  input: unknown
  options: ScheduleOptions
}
type Means = { zone: string; next: NextCron; keys?: Keyring | undefined }

type Checked = { name: string; when: Omit<Terms, 'job'>; job: NewJob }

/**
 * A schedule whose every part was found right; later, where the schema of its input takes its time.
 * @throws ErrandError INVALID_OPTION, UNKNOWN_OPTION, INVALID_CRON, CRON_NEVER_FIRES, UNKNOWN_TIME_ZONE,
 * INVALID_INPUT, UNSTORABLE_INPUT, INPUT_TOO_LARGE
 */
export function checkSchedule(
  { name, definition, input, options }: Asked,
  means: Omit<Means, 'keys'>,
): Checked | Promise<Checked> {
  refuseUnknown(options, [...KNOWN, ...JOB_OPTIONS])
  if (readName('name', name).length > NAME_MAX)
    throw new ErrandError('INVALID_OPTION', {
      option: 'name',
      problem: `needs ${NAME_MAX} at most`,
    })
  const when = readWhen(options, means)
  const prepared = prepare(definition, input, jobOptions(options))
  const checked = (job: NewJob): Checked => {
    const { length } = job.input
    if (length > INPUT_MAX)
      throw new ErrandError('INPUT_TOO_LARGE', { bytes: length, max: INPUT_MAX })
    return { name, when, job }
  }
  return prepared instanceof Promise ? prepared.then(checked) : checked(prepared)
}

/** The same as it is kept. @throws ErrandError as `checkSchedule`, SEAL_KEYS_MISSING */
export async function planSchedule(asked: Asked, means: Means): Promise<Plan> {
  const { name, when, job: prepared } = await checkSchedule(asked, means)
  const { keys } = means
  const key = keyOf(name, prepared.tenant)
  const job = { ...prepared, id: placeOf(key), tags: [...(prepared.tags ?? []), tagOf(name)] }
  const said = JSON.stringify([key, when, toTemplate(job)])
  const digest = createHash('sha256').update(said).digest('base64url')
  // Of a private input not even a digest is told: short ones could be guessed.
  const print = isPrivate(job) ? needKeys(keys).mark(digest) : digest
  return { key, terms: { ...when, job: toTemplate(sealNew(job, keys)) }, print }
}

function readWhen(
  options: ScheduleOptions,
  { zone, next }: Omit<Means, 'keys'>,
): Omit<Terms, 'job'> {
  const rule = readRule(options, zone, next)
  const missed = readChoice('missed', options.missed ?? 'once', MISSED)
  const overlap = readChoice('overlap', options.overlap ?? 'allow', OVERLAPS)
  if (missed === 'skip' && options.missedWithin !== undefined)
    throw new ErrandError('INVALID_OPTION', {
      option: 'missedWithin',
      problem: 'says nothing beside missed: skip',
    })
  const withinMs =
    missed === 'skip'
      ? SKIP_WITHIN_MS
      : readSpan('missedWithin', options.missedWithin ?? DAY_MS, { max: YEAR_MS })
  if (missed === 'all') refuseDense(rule, withinMs, next)
  return { rule, missed, withinMs, overlap }
}

function refuseDense(rule: Rule, withinMs: Millis, next: NextCron): void {
  const now = Date.now()
  const last = momentsOf(rule, now, CAUGHT_UP_MAX + 1, next).at(CAUGHT_UP_MAX)
  if (last !== undefined && last <= now + withinMs)
    throw new ErrandError('INVALID_OPTION', {
      option: 'missedWithin',
      problem: `holds more than ${CAUGHT_UP_MAX} moments; name a shorter span`,
    })
}

const jobOptions = (options: ScheduleOptions): EnqueueOptions =>
  Object.fromEntries(Object.entries(options).filter(([key]) => JOB_OPTIONS.includes(key)))

/** The place for which a private input is sealed while it waits to be fired. */
const placeOf = (key: string): JobId => derivedId('schedule', key)

const toTemplate = ({ id: _, input, policy, ...rest }: NewJob): Template => ({
  ...rest,
  input: toText(input),
  policy: toText(policy),
})

/** The job of one firing. @throws ErrandError SEAL_KEYS_MISSING, SEAL_UNKNOWN, SEAL_BROKEN */
export function jobOf(key: string, { job }: Schedule, id: JobId, keys?: Keyring): NewJob {
  const { input, policy, ...rest } = job
  const kept = { ...rest, id: placeOf(key), input: toBytes(input), policy: policyOf(policy) }
  return isPrivate(kept) ? resealNew(kept, id, keys) : { ...kept, id }
}

/** The same moment of a schedule is the same job, whoever fires it. */
export const idOf = (key: string, at: Millis): JobId => derivedId('schedule', key, `${at}`)

const toText = (bytes: Bytes): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
const toBytes = (text: string): Bytes => Buffer.from(text, 'base64')

/** Stores and policies are remembered by their bytes: alike ones are one and the same. */
const policies = new Map<string, Bytes>()
const POLICIES_MAX = 1000

function policyOf(text: string): Bytes {
  const policy = policies.get(text) ?? toBytes(text)
  if (policies.size >= POLICIES_MAX) policies.clear()
  policies.set(text, policy)
  return policy
}

export const encodeSchedule = (schedule: Schedule): Bytes =>
  encodeJson(schedule) ?? new Uint8Array()

/** Nothing where it was written by a release that we do not understand. */
export const decodeSchedule = (bytes: Bytes): Schedule | undefined =>
  readOwn<Schedule | undefined>(bytes, undefined)
