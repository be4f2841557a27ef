import type { JobId, Limit, NewJob } from '../../src/job/job.ts'
import type { Store } from '../../src/store/contract.ts'
import { Hand, idsOf, seen } from './hand.ts'
import { chores } from './jobs.ts'

export const one = (key: string, running = 1): Limit => ({ key, running })
export const limited = (
  count: number,
  limits: readonly Limit[],
  over: Partial<NewJob> = {},
): NewJob[] => chores(count, { limits, ...over })
export const held = async (store: Store, id: JobId) => (await seen(store, id)).heldBy
export const claimedIds = async (hand: Hand, limit = 100) => idsOf(await hand.claim(limit))

/** A worker, and jobs of one key that has one place. */
export async function crowd(store: Store, count: number, limits: readonly Limit[] = [one('a')]) {
  const hand = await Hand.register(store)
  const jobs = limited(count, limits)
  for (const job of jobs) await store.insert([job])
  return { hand, jobs, ids: idsOf(jobs) }
}
