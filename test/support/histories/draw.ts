import * as fc from 'fast-check'
import type { Limit, NewJob } from '../../../src/job/job.ts'
import { REASONS } from '../../../src/job/state.ts'
import { PAUSE } from '../../../src/store/contract.ts'
import { HOOKS, JOBS, WORKERS } from './stage.ts'

/** What steps are drawn from: few ids, names and moments, so that calls meet. */
const { constant, constantFrom, integer, nat, oneof, record, array } = fc

const DAY = 86_400_000

/** A view into a larger buffer, with other bytes on both sides. */
const view = fc
  .uint8Array({ maxLength: 5 })
  .map((inner) => new Uint8Array([0xee, ...inner, 0xee]).subarray(1, -1))
export const bytes = oneof(
  fc.uint8Array({ maxLength: 6 }),
  constantFrom(new Uint8Array(), Buffer.of(0), Buffer.of(0xff, 0), Buffer.from('{}')),
  view,
)

export const slot = integer({ min: 0, max: WORKERS - 1 })
/** One of the ids there are, or of those that ended, or any that may be. */
export const which = record({
  among: constantFrom('stored' as const, 'ended' as const, 'ended' as const, 'all' as const),
  nth: nat(11),
})
const queue = constantFrom('a', 'b', 'c')
const name = constantFrom('chore', 'rare')
export const tenant = constantFrom('', 'acme')
const span = constantFrom(0, 1, 1000, 20_000)
export const keepMs = constantFrom(0, 0, 1000, 60_000, DAY)
const unique = record({
  value: constantFrom('u', 'v'),
  until: constantFrom('end' as const, 'kept' as const),
  onConflict: constantFrom('join' as const, 'refuse' as const),
})

/** Whoever names a key says the same of it. */
const limits = fc.uniqueArray(
  constantFrom<Limit>(
    { key: 'one', running: 1 },
    { key: 'two', running: 2 },
    { key: 'both', running: 1, pending: 3 },
    { key: 'few', pending: 2 },
  ),
  { minLength: 1, maxLength: 3, selector: ({ key }) => key },
)

export const plainJob = {
  job: name,
  queue,
  tenant,
  priority: constantFrom(5, 0, 9),
  input: bytes,
  policy: bytes,
}
const chore = { id: constantFrom(...JOBS), ...plainJob }
export const options = {
  delayMs: span,
  /** Counted from the call. */
  runIn: constantFrom(-1000, 0, 5000),
  expiresInMs: span,
  deadlineMs: span,
  fingerprint: constantFrom('f', 'g'),
  unique,
  tags: fc.uniqueArray(constantFrom('x', 'y', 'z'), { maxLength: 2 }),
  limits,
}
type Drawn = Omit<NewJob, 'runAt' | 'subject'> & { runIn?: number }
const requiredKeys = ['id', 'job', 'queue', 'tenant', 'priority', 'input', 'policy'] as const
const newJob: fc.Arbitrary<Drawn> = oneof(
  record(chore),
  record({ ...chore, unique }),
  record({ ...chore, limits }),
  record({ ...chore, limits, delayMs: span }),
  record({ ...chore, ...options }, { requiredKeys: [...requiredKeys] }),
)
export const newJobs = array(newJob, { minLength: 1, maxLength: 3 })

/** The job that an ending brings, without what the ending says of it. */
const hook = oneof(
  record({ id: constantFrom(...HOOKS), ...plainJob }),
  record({ id: constantFrom(...HOOKS), ...plainJob, limits }),
)
const artifacts = fc.uniqueArray(
  record({
    file: constantFrom('one', 'two'),
    type: constant('text/plain'),
    bytes: nat(9),
    sha256: constantFrom('0a', '0b'),
    keepMs,
  }),
  { maxLength: 2, selector: ({ file }) => file },
)
const reason = constantFrom(...REASONS)
const raise = constantFrom('failures' as const, 'crashes' as const, 'losses' as const)
const cancelling = record({ to: constant('cancelled' as const), keepMs })
const letterName = constantFrom('first', 'second', 'third')
const suspension = record(
  {
    to: constant('waiting' as const),
    for: constant('it'),
    /** Counted from the call. */
    wakeIn: constantFrom(-1000, 0, 1000, 20_000),
    one: fc.uniqueArray(letterName, { maxLength: 1 }),
    all: fc.uniqueArray(letterName, { maxLength: 2 }),
  },
  { requiredKeys: ['to', 'for', 'one', 'all'] },
)
const outcome = oneof(
  record(
    {
      to: constant('completed' as const),
      result: bytes,
      withErrors: fc.boolean(),
      artifacts,
      keepMs,
    },
    { requiredKeys: ['to', 'withErrors', 'artifacts', 'keepMs'] },
  ),
  record(
    { to: constant('failed' as const), reason, error: bytes, raise, keepMs },
    { requiredKeys: ['to', 'reason', 'error', 'keepMs'] },
  ),
  cancelling,
  record({ to: constant('scheduled' as const), delayMs: span, reason, error: bytes, raise }),
  record({ to: constant('ready' as const), begun: fc.boolean() }),
  record({ to: constant('waiting' as const), for: constant('handler' as const) }),
  suspension,
  suspension,
)

/** A running job of the worker's own, or any job under a fence of its past, or under one that never was. */
const target = record({
  whose: constantFrom('own' as const, 'own' as const, 'own' as const, 'any' as const),
  nth: nat(11),
  off: constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
})
const settlement = { target, outcome }
export const settlements = array(
  oneof(record(settlement), record(settlement), record({ ...settlement, hook })),
  { maxLength: 3 },
)
export const claim = record({
  queues: constantFrom([], ['a'], ['b', 'a'], ['a', 'b', 'c'], ['b', 'c', 'c', 'none']),
  limit: constantFrom(0, 1, 2, 3, 4),
})
/** Against the worker's newest number; a repeat, one that overtook another, one too old. */
export const number = constantFrom(1, 1, 1, 1, 0, 2, -1, -2)
const done = record({ name: constantFrom('first', 'second', 'third'), value: bytes })
export const notes = array(
  record({ target, progress: bytes, step: done }, { requiredKeys: ['target'] }),
  { minLength: 1, maxLength: 2 },
)
export const cancels = array(
  record({ which, outcome: cancelling, hook }, { requiredKeys: ['which', 'outcome'] }),
  { minLength: 1, maxLength: 2 },
)
export const letters = array(
  record(
    {
      which,
      name: letterName,
      key: constantFrom('k', 'l'),
      value: bytes,
      urgent: constant(true),
      ifWaiting: constant(true),
    },
    { requiredKeys: ['which', 'name', 'key', 'value'] },
  ),
  { minLength: 1, maxLength: 3 },
)
/** What is to become of an entry, by who saw it as it stands or as it stood before. */
export const change = record(
  {
    kind: constantFrom(PAUSE, 'note'),
    name: constantFrom('a', 'b'),
    isStale: constantFrom(false, false, false, true),
    value: bytes,
    /** Counted from the call. */
    atIn: constantFrom(-1000, 0, 5000),
    job: record(chore),
  },
  { requiredKeys: ['kind', 'name', 'isStale'] },
)
export const several = array(which, { minLength: 1, maxLength: 3 })
export const names = fc.subarray(['chore', 'rare', 'unheard-of'])
export const question = fc.tuple(tenant, name, constantFrom('u', 'v'))
export const forward = constantFrom(1, 1000, 5000, 20_000, 120_000)
export const back = constantFrom(1, 700, 9000)
/** Most workers live most of the time. */
export const alive = constantFrom([0, 1, 2], [0, 1, 2], [0, 1], [1, 2], [2])
/** More than there ever are. */
export const ALL = 100
export const few = constantFrom(1, 2, ALL)
