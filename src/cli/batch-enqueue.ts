import { createReadStream } from 'node:fs'
import type { Millis } from '../base/time.ts'
import { readLines } from '../http/ndjson.ts'
import type { BatchOptions } from '../job/items.ts'
import type { Errand } from '../open.ts'
import { batchPage, watchBatch } from './batch-pages.ts'
import type { Print } from './print.ts'

/** What `errand enqueue` is told of a batch. */
export type BatchFlags = {
  batch?: string
  stopAfter?: string
  onEnd?: string
  invalid?: 'refuse' | 'fail'
}

type Asked = { job: string; flags: BatchFlags; terms: BatchOptions; waitMs: Millis | undefined }
type Desk = { errand: Errand; print: Print }

const SHOWN_MAX = 10

/** Hands in the lines of a file, or of standard input, as the items of one batch. */
export async function enqueueBatch(
  { errand, print }: Desk,
  { job, flags, terms, waitMs }: Asked,
): Promise<void> {
  const { batch = '-', stopAfter, onEnd, invalid } = flags
  const source = batch === '-' ? process.stdin : createReadStream(batch)
  const accepted = await errand.enqueueBatch(job, readLines(source), {
    ...terms,
    ...(stopAfter !== undefined && { stopAfter: toStop(stopAfter) }),
    ...(onEnd !== undefined && { onEnd: errand.client.definition(onEnd) }),
    ...(invalid && { invalid }),
  })
  for (const { pointer, detail } of accepted.issues.slice(0, SHOWN_MAX))
    print.note(`item ${pointer.slice(1)}: ${detail}`)
  if (accepted.invalid > 0) print.note(`${accepted.invalid} items do not fit: they fail alone`)
  if (waitMs === undefined) return print.show(accepted, () => accepted.id)
  const view = await watchBatch(print, errand.watch, accepted.id, waitMs)
  print.show(view, () => batchPage(print, view))
  process.exitCode = view.outcome === 'completed' ? 0 : 1
}

const toStop = (given: string): number | `${number}%` =>
  /^\d+(?:\.\d+)?%$/.test(given) ? `${Number(given.slice(0, -1))}%` : Number(given)
