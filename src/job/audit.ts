import { type Bytes, readOwn } from '../base/json.ts'
import type { Links } from './audit-chain.ts'
import type { JobId } from './job.ts'
import { readText } from './options.ts'

/**
 * What a person may do to jobs, a batch, a schedule, a queue or a limit, as the audit log names it. `submit` and `read`
 * are written by apps whose rules ask for it.
 */
export const ACTS = [
  'cancel',
  'retry',
  'discard',
  'erase',
  'signal',
  'pause',
  'resume',
  'open',
  'put',
  'remove',
  'run',
  'submit',
  'read',
] as const
export type Act = (typeof ACTS)[number]

/** On whose behalf something is done: with it, it is written down. */
export type By = {
  /** Who: as the app's `authenticate` says, or the user of the terminal. */
  person?: string
  /** Whose jobs that person sees. */
  tenant?: string
  /** By which door: `http`, `cli`, or what your own program calls itself. */
  from?: string
  /** Why, in the person's words: at most 500 characters, kept as they are. */
  note?: string
}

/** One line of the audit log. Nothing that a job carries is in it. */
export type Entry = By & {
  act: Act
  jobs: readonly JobId[]
  /** Whose items were cancelled or retried. */
  batch?: JobId
  /** The key of the schedule that was put, removed, paused, resumed or run. */
  schedule?: string
  /** What was paused or resumed. */
  queue?: string
  /** What was opened before its time. */
  limit?: string
  /** The name of the signal that was sent. */
  signal?: string
  /** It was given another input. */
  newInput?: boolean
}

const TEXT_MAX = 500

/** @throws ErrandError INVALID_OPTION */
export function checkBy(by: By): void {
  for (const [field, said] of Object.entries(by))
    if (said !== undefined) readText(field, said, { max: TEXT_MAX })
}

/** One that cannot be read is shown as one of nobody's, rather than hidden. */
export function readEntry(bytes: Bytes): Entry {
  const nobody = { act: 'signal', jobs: [], note: 'this entry cannot be read' } as const
  const { prev: _, mark: __, ...entry } = readOwn<Entry & Partial<Links>>(bytes, nobody)
  return entry
}
