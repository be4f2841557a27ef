import type { SQLOutputValue } from 'node:sqlite'
import type { Millis } from '../../base/time.ts'
import type { Claimed, Fence } from '../../job/job.ts'
import type { Policies } from './policies.ts'
import { bytes, int, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Where a running job lies, and what its end must look after. */
export type Held = {
  fence: Fence
  place: number
  queue: string
  receipt: number
  isUnique: boolean
  tried: boolean
}

/** A job on its way to a worker. */
export type Handed = { job: Claimed; held: Held }

/** Reads a row of `ready`, `again` or `orphan`: their columns are the same, in the same order. */
export function readHanded(
  row: readonly SQLOutputValue[],
  receipt: number,
  policies: Policies,
  turn: Turn,
): Handed {
  const [place, id, fence, queue, failures, crashes, losses, runAt, ...body] = row
  const [job, tenant, createdAt, expiresAt, deadlineAt, input, policy, isUnique] = body
  const claimed: Claimed = {
    id: text(id),
    fence: int(fence),
    job: text(job),
    queue: text(queue),
    tenant: text(tenant),
    failures: int(failures),
    crashes: int(crashes),
    losses: int(losses),
    input: bytes(input),
    policy: policies.read(int(policy), turn),
    createdAt: int(createdAt),
    runAt: int(runAt),
  }
  if (expiresAt !== null) claimed.expiresAt = int(expiresAt)
  if (deadlineAt !== null) claimed.deadlineAt = int(deadlineAt)
  const tried = claimed.failures + claimed.crashes + claimed.losses > 0
  return {
    job: claimed,
    held: {
      fence: claimed.fence,
      place: int(place),
      queue: claimed.queue,
      receipt,
      isUnique: isUnique === 1,
      tried,
    },
  }
}

/** Puts a job under a new fence. Fences never repeat, even when a store lost its last second. */
export function raiseFence({ job, held }: Handed, now: Millis): Fence {
  job.fence = held.fence = Math.max(job.fence + 1, now)
  return job.fence
}
