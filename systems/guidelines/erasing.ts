import { setTimeout as pause } from 'node:timers/promises'
import { type By, type Desk, hasCode, type JobView } from 'errand'
import { CALLBACK_QUEUE, guidelineChecklistCalledBack } from './contract.ts'
import { isOver } from './events.ts'

const CANCEL_PATIENCE_MS = 5000
const TRIES = 5
const REST_MS = 200
const PAGE = 200
const PAGES = 5

/**
 * Erases an event and all it left: one that has not ended is stopped first, and whom it was to call back is not called
 * any more. @returns whether it is gone by now
 */
export async function eraseEvent(errand: Desk, view: JobView, by: By): Promise<boolean> {
  const { id } = view
  if (!isOver(view)) await stop(errand, id, by)
  const erase = async () => {
    try {
      await errand.erase(id, { by })
      return true
    } catch (error) {
      if (!hasCode(error, 'WRONG_STATE')) throw error
      // It was begun in between.
      await stop(errand, id)
      return false
    }
  }
  return unhooked(errand, view, erase)
}

/** Discards a dead letter, and whom it was to call back. What is none is refused, and its callback goes on. */
export function discardEvent(errand: Desk, view: JobView, by: By): Promise<boolean> {
  const discard = () => errand.discard(view.id, { by }).then(() => true)
  const isDead = view.state === 'failed' || view.state === 'cancelled'
  return isDead ? unhooked(errand, view, discard) : discard()
}

/** Callbacks that are in the way are taken out of it, a few times. */
async function unhooked(errand: Desk, { id, job }: JobView, act: () => Promise<boolean>) {
  if (job === guidelineChecklistCalledBack.name) await eraseCallbacks(errand, id)
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      if (await act()) return true
    } catch (error) {
      if (!hasCode(error, 'STILL_HOOKED')) throw error
      await eraseCallbacks(errand, id)
    }
    await pause(tries * REST_MS)
  }
  return false
}

async function eraseCallbacks(errand: Desk, subject: string): Promise<void> {
  let cursor: string | undefined
  for (let pages = 0; pages < PAGES; pages++) {
    const page = await errand.list({ queue: CALLBACK_QUEUE }, PAGE, cursor)
    for (const view of page.jobs.filter((job) => job.subject === subject)) {
      if (view.state === 'running') await stop(errand, view.id)
      await errand.erase(view.id).catch(unlessPassing)
    }
    cursor = page.next
    if (cursor === undefined) return
  }
}

async function stop(errand: Desk, id: string, by?: By): Promise<void> {
  await errand.cancel(id, by && { by }).catch(unlessPassing)
  await errand.ended(id, CANCEL_PATIENCE_MS)
}

/** It ended, or went, by itself. */
function unlessPassing(error: unknown): void {
  if (!hasCode(error, 'WRONG_STATE') && !hasCode(error, 'JOB_NOT_FOUND')) throw error
}
