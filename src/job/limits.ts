import { ErrandError } from './errors.ts'
import type { Limit } from './job.ts'
import { readCount, readText, refuseUnknown } from './options.ts'

/** How many jobs of a key may run, and how many may wait to be begun; the key may be made of the input. */
export type LimitOption<Input = never> = {
  key: string | ((input: Input) => string)
  /** So many run at a time, over all workers; the others wait in the key's line. */
  running?: number
  /** So many wait at most; one more is refused (LIMIT_REACHED). */
  pending?: number
}

export const LIMITS_MAX = 3
const RUNNING_MAX = 1_000_000
const PENDING_MAX = 1_000_000_000
const KEY_MAX = 100

/** @throws ErrandError INVALID_OPTION, UNKNOWN_OPTION */
export function readLimitOptions<Input>(
  limits: readonly LimitOption<Input>[],
): readonly LimitOption<Input>[] {
  if (!Array.isArray(limits) || limits.length > LIMITS_MAX) refuse(`takes at most ${LIMITS_MAX}`)
  for (const limit of limits) {
    refuseUnknown(limit, ['key', 'running', 'pending'])
    const { key, running, pending } = limit
    if (typeof key !== 'function') readText('limits.key', key, { max: KEY_MAX })
    if (running === undefined && pending === undefined) refuse('needs running, pending, or both')
    if (running !== undefined) readCount('limits.running', running, { min: 1, max: RUNNING_MAX })
    if (pending !== undefined) readCount('limits.pending', pending, { min: 1, max: PENDING_MAX })
  }
  return limits
}

/** What a definition says of limits: those of every job, and those of one, whose keys may be made of its input. */
export type JobLimits<Input = unknown> = {
  /** Whether any key is made of an input. */
  readonly isMade: boolean
  readonly fixed: readonly LimitOption[]
  of(input: Input): readonly LimitOption[]
}

/** @throws ErrandError INVALID_OPTION, UNKNOWN_OPTION */
export function readJobLimits<Input>(limits: readonly LimitOption<Input>[]): JobLimits<Input> {
  readLimitOptions(limits)
  return {
    isMade: limits.some(({ key }) => typeof key === 'function'),
    fixed: limits.flatMap(({ key, ...bounds }) =>
      typeof key === 'string' ? [{ key, ...bounds }] : [],
    ),
    of: (input) =>
      limits.map(({ key, ...bounds }) => ({
        key: typeof key === 'string' ? key : key(input),
        ...bounds,
      })),
  }
}

/** The limits of one job: those of its definition, and those of its enqueue. @throws ErrandError INVALID_OPTION */
export function limitsFor(limits: readonly LimitOption[]): readonly Limit[] {
  const found = limits.map(({ key, ...bounds }) => ({
    key: readText('limits.key', key, { max: KEY_MAX }),
    ...bounds,
  }))
  if (found.length > LIMITS_MAX)
    refuse(`takes at most ${LIMITS_MAX}, those of the definition included`)
  if (new Set(found.map(({ key }) => key)).size < found.length) refuse('names a key twice')
  return found
}

/**
 * The limits of a job that the end of another inserts, of whose input nothing is known before it runs.
 * @throws ErrandError INVALID_OPTION
 */
export function limitsOfEnd(
  option: string,
  limits: JobLimits<never> | undefined,
): { limits?: readonly Limit[] } {
  if (limits === undefined) return {}
  if (limits.isMade)
    throw new ErrandError('INVALID_OPTION', {
      option,
      problem: 'must not have limits whose keys are made of its input',
    })
  return { limits: limitsFor(limits.fixed) }
}

function refuse(problem: string): never {
  throw new ErrandError('INVALID_OPTION', { option: 'limits', problem })
}
