import type { Batch } from '../../job/batch.ts'
import type { BatchPage } from '../contract.ts'
import { LOOKED_AT_MAX, readCursor, writeCursor } from './paging.ts'

/** A batch with the store's own number of its arrival. */
export type Arrived = { turn: number; batch: Batch }

/** Before which arrival a page begins. @throws ErrandError INVALID_QUERY */
export function batchMark(cursor: string | undefined): number {
  const [mark] = cursor === undefined ? [] : readCursor(cursor, 'batches', [0])
  return typeof mark === 'number' ? mark : Number.MAX_SAFE_INTEGER
}

/** Of those that were looked at the ones to show, and where the next page begins. */
export function batchPage(
  looked: readonly Arrived[],
  { tenant, limit }: { tenant?: string | undefined; limit: number },
): BatchPage {
  const fitting = looked.filter(({ batch }) => tenant === undefined || batch.tenant === tenant)
  const shown = fitting.slice(0, limit)
  const last =
    fitting.length > limit
      ? shown.at(-1)
      : looked.length === LOOKED_AT_MAX
        ? looked.at(-1)
        : undefined
  const batches = shown.map(({ batch }) => batch)
  return last ? { batches, next: writeCursor('batches', [last.turn]) } : { batches }
}
