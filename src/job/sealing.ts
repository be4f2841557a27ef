import { type Bytes, readOwn } from '../base/json.ts'
import { compress } from '../base/zstd.ts'
import { ErrandError } from './errors.ts'
import { encodeFailure } from './failure.ts'
import type { Claimed, Job, LogLine, Mail, NewJob, Step, Subject } from './job.ts'
import type { Report } from './outcome.ts'
import { readPolicy } from './policy.ts'
import { isSealed, type Keyring, type Place } from './seal.ts'
import { childOf, senderOf } from './words.ts'

/** What of a job is sealed, and under which names: everything that its caller or its handler said. */

type Whose = Pick<Job, 'id' | 'tenant'>
export type Keys = Keyring | undefined

const SEALED_TEXT = 'sealed:'

/** Whether what a job carries is sealed at rest. */
export const isPrivate = ({ policy }: Pick<Job, 'policy'>): boolean =>
  readPolicy(policy).data === 'sealed'

const placeOf = ({ id, tenant }: Whose, field: string): Place => ({ id, tenant, field })

/** @throws ErrandError SEAL_KEYS_MISSING */
export function needKeys(keys: Keys): Keyring {
  if (keys === undefined) throw new ErrandError('SEAL_KEYS_MISSING', {})
  return keys
}

export const seal = (bytes: Bytes, whose: Whose, field: string, keys: Keys): Bytes =>
  needKeys(keys).seal(bytes, placeOf(whose, field))

/** What was never sealed is what it is. @throws ErrandError SEAL_KEYS_MISSING, SEAL_UNKNOWN, SEAL_BROKEN */
export const unseal = (bytes: Bytes, whose: Whose, field: string, keys: Keys): Bytes =>
  isSealed(bytes) ? needKeys(keys).open(bytes, placeOf(whose, field)) : bytes

/**
 * A job about to be stored: a large input compressed; of a private one that is sealed, and its unique value and its
 * fingerprint are marked. Compressed first: what is sealed has no pattern left.
 */
export function sealNew(job: NewJob, keys: Keys): NewJob {
  const input = compress(job.input)
  if (!isPrivate(job)) return input === job.input ? job : { ...job, input }
  const ring = needKeys(keys)
  const { unique, fingerprint } = job
  return {
    ...job,
    input: seal(input, job, 'input', ring),
    ...(unique && { unique: { ...unique, value: ring.mark(unique.value) } }),
    ...(fingerprint !== undefined && { fingerprint: ring.mark(fingerprint) }),
  }
}

/** One that was sealed for another place: its input is sealed anew for its own. */
export function resealNew(job: NewJob, id: NewJob['id'], keys: Keys): NewJob {
  const input = unseal(job.input, job, 'input', keys)
  return { ...job, id, input: seal(input, { id, tenant: job.tenant }, 'input', keys) }
}

type Carried = Whose & Pick<Claimed, 'input' | 'steps' | 'mail' | 'subject'>

/** What a handler is given. @throws ErrandError SEAL_KEYS_MISSING, SEAL_UNKNOWN, SEAL_BROKEN */
export function unsealTask<Task extends Carried>(task: Task, keys: Keys): Task {
  const { steps, mail, subject } = task
  return {
    ...task,
    input: unseal(task.input, task, 'input', keys),
    ...(steps && { steps: steps.map((step) => unsealStep(step, task, keys)) }),
    ...(mail && { mail: mail.map((letter) => unsealLetter(letter, task, keys)) }),
    ...(subject && { subject: unsealSubject(subject, task, keys) }),
  }
}

/** Apart from the fields of a job, whatever a step is called. */
export const stepField = (name: string): string => `step:${name}`

export const unsealStep = (step: Step, whose: Whose, keys: Keys): Step => ({
  ...step,
  value: unseal(step.value, whose, stepField(step.name), keys),
})

/** A letter from a job that was called holds what that sealed as its result. */
export function unsealLetter(letter: Mail, whose: Whose, keys: Keys): Mail {
  const child = childOf(letter.name) === undefined ? undefined : senderOf(letter)
  const value =
    child === undefined
      ? unseal(letter.value, whose, letter.name, keys)
      : unseal(letter.value, { ...whose, id: child }, 'result', keys)
  return { ...letter, value }
}

/** What a hook looks back on belongs to the job that its input names. */
function unsealSubject({ input, result, error }: Subject, hook: Carried, keys: Keys): Subject {
  const { id } = readOwn<{ id: string }>(unseal(hook.input, hook, 'input', keys), { id: '' })
  const whose = { id, tenant: hook.tenant }
  return {
    input: unseal(input, whose, 'input', keys),
    ...(result && { result: unseal(result, whose, 'result', keys) }),
    ...(error && { error: unseal(error, whose, 'error', keys) }),
  }
}

type Said = {
  progress?: Bytes
  log?: readonly Omit<LogLine, 'fence'>[]
  step?: Pick<Step, 'name' | 'value'>
}

/** What a handler says of itself on its way to the store. */
export function sealNote<Note extends Said>(note: Note, whose: Whose, keys: Keys): Note {
  const { progress, log, step } = note
  return {
    ...note,
    ...(progress && { progress: seal(progress, whose, 'progress', keys) }),
    ...(log && { log: log.map((line) => ({ ...line, text: sealText(line.text, whose, keys) })) }),
    ...(step && { step: { ...step, value: seal(step.value, whose, stepField(step.name), keys) } }),
  }
}

export function sealReport(report: Report, whose: Whose, keys: Keys): Report {
  if (report.how === 'failed') return { ...report, error: seal(report.error, whose, 'error', keys) }
  if (report.how !== 'completed' || report.result === undefined) return report
  return { ...report, result: seal(report.result, whose, 'result', keys) }
}

const sealText = (text: string, whose: Whose, keys: Keys): string =>
  `${SEALED_TEXT}${Buffer.from(seal(Buffer.from(text), whose, 'log', keys)).toString('base64url')}`

/** What of it people may read here; what cannot be opened is left out, and said to be sealed. */
export function unsealJob(job: Job, keys: Keys): Job {
  const carries = [job.result, job.error, job.progress].some((bytes) => bytes && isSealed(bytes))
  if (!carries) return job
  const read = (bytes: Bytes | undefined, field: string) => quietly(bytes, job, field, keys)
  const { result: _r, error: _e, progress: _p, ...rest } = job
  const [result, progress] = [read(job.result, 'result'), read(job.progress, 'progress')]
  const error = job.error && (read(job.error, 'error') ?? encodeFailure('Sealed', UNREADABLE))
  return {
    ...rest,
    ...(result && { result }),
    ...(error && { error }),
    ...(progress && { progress }),
  }
}

const UNREADABLE = 'it is sealed, and cannot be opened here'

/** Nothing where it cannot be opened. */
export function quietly(
  bytes: Bytes | undefined,
  whose: Whose,
  field: string,
  keys: Keys,
): Bytes | undefined {
  try {
    return bytes && unseal(bytes, whose, field, keys)
  } catch {
    return undefined
  }
}

export function readLine(text: string, whose: Whose, keys: Keys): string {
  if (!text.startsWith(SEALED_TEXT)) return text
  const bytes = Buffer.from(text.slice(SEALED_TEXT.length), 'base64url')
  return quietly(bytes, whose, 'log', keys)?.toString() ?? '(sealed)'
}
