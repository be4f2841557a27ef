import { z } from '@hono/zod-openapi'
import { STOPS } from '../../job/batch.ts'
import { ITEMS_MAX } from '../../job/items.ts'
import { count, JobView, listOf, moment, name, NewJob, state, text } from '../schemas.ts'
import { note } from './audit.ts'

const stopAfter = z
  .union([z.int().min(0), z.templateLiteral([z.number(), '%'])])
  .openapi({ type: 'string', description: 'So many items, or a share of all: 100, "5%".' })
const invalid = z.enum(['refuse', 'fail']).openapi({
  description:
    'An item that does not fit: `refuse` takes none of them; `fail` takes all, and it fails alone.',
})

/** What holds for each of its items, and what for the batch. */
const terms = {
  ...NewJob.pick({
    job: true,
    id: true,
    queue: true,
    priority: true,
    runAt: true,
    delay: true,
    tags: true,
    expiresIn: true,
    deadline: true,
  }).shape,
  keep: NewJob.shape.delay.openapi({ description: 'How long it is shown after its end; 30 days.' }),
  onEnd: name.optional().openapi({ description: 'The job inserted when it ends.' }),
  invalid: invalid.optional(),
}

export const NewBatch = z
  .strictObject({
    ...terms,
    stopAfter: stopAfter.optional(),
    limits: NewJob.shape.limits,
    concurrency: z.int().min(1).optional().openapi({ description: 'So many items run at a time.' }),
    items: z.array(z.unknown()).min(1).max(ITEMS_MAX),
  })
  .openapi('NewBatch')

/** Beside a stream of items, one a line, all of that stands in the query. */
export const StreamQuery = z.strictObject({
  ...terms,
  job: name.optional().openapi({ description: 'Of a stream: the name of a definition.' }),
  priority: z
    .union([z.enum(['high', 'normal', 'low']), z.coerce.number().int().min(0).max(9)])
    .optional(),
  tags: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(text(100)).max(10))
    .optional(),
  concurrency: z.coerce.number().int().min(1).optional(),
  stopAfter: z
    .union([z.coerce.number().int().min(0), z.templateLiteral([z.number(), '%'])])
    .optional(),
})

export const BatchPath = z.object({ id: z.string().openapi({ format: 'uuid' }) })

export const BatchQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text(500).optional(),
})

export const ItemsQuery = z.strictObject({
  state: state.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(0).max(ITEMS_MAX).default(0),
})

export const RetryBatch = z
  .strictObject({
    cancelled: z
      .boolean()
      .optional()
      .openapi({ description: 'Those that were cancelled as well.' }),
    note,
  })
  .openapi('RetryBatch')

export const BatchView = z
  .object({
    id: z.uuid(),
    job: z.string(),
    tenant: z.string().optional(),
    state: z.enum(['open', 'closed', 'ended']),
    outcome: z.enum(['completed', 'partial', 'failed', 'cancelled']).optional(),
    items: count,
    pending: count.openapi({ description: 'Those that have not ended.' }),
    completed: count,
    withErrors: count,
    failed: count,
    cancelled: count,
    stopped: z.enum(STOPS).optional().openapi({ description: 'Why no more items are begun.' }),
    failedMax: count.optional(),
    createdAt: moment,
    closedAt: moment.optional(),
    endedAt: moment.optional(),
    joined: z.boolean().optional().openapi({ description: 'The batch was there before.' }),
    invalid: count
      .optional()
      .openapi({ description: 'How many items do not fit; they fail alone.' }),
    errors: z
      .array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() }))
      .readonly()
      .optional()
      .openapi({ description: 'The first of them; a pointer begins with the place, from 0.' }),
    retried: count.optional(),
    links: z.object({
      self: z.string(),
      items: z.string(),
      errors: z.string().optional(),
      cancel: z.string().optional(),
      retry: z.string().optional(),
    }),
  })
  .openapi('Batch')

export const BatchPage = listOf(BatchView).extend({ nextCursor: z.string().optional() })
export const ItemPage = listOf(JobView).extend({ nextCursor: z.string().optional() })

export type BatchJson = z.infer<typeof BatchView>
