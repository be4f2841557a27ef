import type { Limit } from '../../job/job.ts'

/** In whose line a job begins to wait for a place; none where it needs none. */
export const firstKey = (limits: readonly Limit[]): string | undefined =>
  limits.find(({ running }) => running !== undefined)?.key

const NONE: readonly Limit[] = []
/** Jobs come by the many with the same ones. */
let latest: { json: string; limits: readonly Limit[] } = { json: '[]', limits: NONE }

/** What we wrote. */
export function readLimits(json: string | null): readonly Limit[] {
  if (json === null) return NONE
  if (json !== latest.json) latest = { json, limits: JSON.parse(json) }
  return latest.limits
}
