import type { Limit } from '../../job/job.ts'

/** In whose line a job begins to wait for a place; none where it needs none. */
export const firstKey = (limits: readonly Limit[]): string | undefined =>
  limits.find(({ running }) => running !== undefined)?.key

/** What we wrote. */
export const readLimits = (json: string | null): Limit[] => (json === null ? [] : JSON.parse(json))
