import type { NewJob } from '../../job/job.ts'
import type { Change, Entry } from '../contract.ts'

/** The jobs that changes bring, in order. */
export const jobsOf = (changes: readonly Change[]): NewJob[] =>
  changes.flatMap(({ jobs = [] }) => jobs)

type Seen = { at?: Entry['at'] | undefined }

/** Whether who waits for the next moment of a kind must look again: an entry came or went, or is wanted sooner. */
export const isSooner = (before: Seen | undefined, after: Seen | undefined): boolean =>
  before === undefined || after === undefined || (after.at ?? Infinity) < (before.at ?? Infinity)
