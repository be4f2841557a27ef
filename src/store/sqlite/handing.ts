import type { SQLOutputValue } from 'node:sqlite'
import type { Millis } from '../../base/time.ts'
import type { Claimed, Fence } from '../../job/job.ts'
import type { Policies } from './policies.ts'
import { bytes, int, text } from './rows.ts'

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
  now?: Millis,
): Handed {
  const [turn, id, fence, queue, failures, crashes, losses, runAt, ...body] = row
  const [job, tenant, createdAt, expiresAt, deadlineAt, input, policy, isUnique] = body
  const claimed: Claimed = {
    id: text(id),
    fence: now === undefined ? int(fence) : nextFence(int(fence), now),
    job: text(job),
    queue: text(queue),
    tenant: text(tenant),
    failures: int(failures),
    crashes: int(crashes),
    losses: int(losses),
    input: bytes(input),
    policy: policies.read(int(policy)),
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
      place: int(turn),
      queue: claimed.queue,
      receipt,
      isUnique: isUnique === 1,
      tried,
    },
  }
}

/** Fences never repeat, even when a store lost its last second. */
const nextFence = (fence: Fence, now: Millis): Fence => Math.max(fence + 1, now)
