import type { Desk } from './app.ts'
import type { Parts } from './parts.ts'

/** What an app's own routes are given: members that may be taken apart. */
export const deskOf = ({
  errand: { client, watch },
  links,
}: Pick<Parts, 'errand' | 'links'>): Desk => ({
  enqueue: client.enqueue.bind(client),
  enqueueMany: client.enqueueMany.bind(client),
  enqueueOnce: client.enqueueOnce.bind(client),
  cancel: client.cancel.bind(client),
  retry: client.retry.bind(client),
  enqueueBatch: client.batches.enqueue.bind(client.batches),
  cancelBatch: client.batches.cancel.bind(client.batches),
  retryBatch: client.batches.retry.bind(client.batches),
  job: watch.job.bind(watch),
  find: watch.find.bind(watch),
  result: watch.result.bind(watch),
  ended: watch.ended.bind(watch),
  list: watch.list.bind(watch),
  batch: watch.batch.bind(watch),
  batches: watch.batches.bind(watch),
  batchEnded: watch.batchEnded.bind(watch),
  items: watch.items.bind(watch),
  artifact: watch.artifact.bind(watch),
  link: links.sign.bind(links),
})
