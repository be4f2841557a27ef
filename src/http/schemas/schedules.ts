import { z } from '@hono/zod-openapi'
import { MISSED, OVERLAPS } from '../../job/schedule.ts'
import { count, listOf, moment, name, NewJob, span, text } from '../schemas.ts'

const rule = z.object({
  cron: text(200)
    .optional()
    .openapi({ example: '0 2 * * *', description: 'Five fields, or six with seconds first.' }),
  zone: text(64).optional().openapi({ example: 'Australia/Perth' }),
  every: span.optional(),
  start: moment.optional().openapi({ description: 'Where `every` begins.' }),
})

/** When a job is to be enqueued, and how. An unknown member is refused. */
export const PutSchedule = z
  .strictObject({
    ...NewJob.pick({
      job: true,
      input: true,
      queue: true,
      priority: true,
      tags: true,
      expiresIn: true,
      deadline: true,
    }).shape,
    ...rule.shape,
    missed: z.enum(MISSED).optional(),
    missedWithin: span.optional(),
    overlap: z.enum(OVERLAPS).optional(),
  })
  .openapi('PutSchedule')

export const NewSchedule = PutSchedule.extend({ name }).openapi('NewSchedule')

export const SchedulePath = z.object({ name: text(100) })

export const PreviewQuery = z.strictObject({
  count: z.coerce.number().int().min(1).max(100).default(5),
})

export const ScheduleView = z
  .object({
    name: z.string(),
    tenant: z.string().optional(),
    job: z.string(),
    queue: z.string(),
    priority: count,
    tags: z.array(z.string()).readonly(),
    cron: z.string().optional(),
    zone: z.string().optional(),
    everyMs: count.optional(),
    start: moment.optional(),
    missed: z.enum(MISSED),
    missedWithinMs: count,
    overlap: z.enum(OVERLAPS),
    fromCode: z
      .boolean()
      .openapi({ description: 'It is defined in the code of an app, and is changed there.' }),
    paused: z.boolean(),
    nextAt: moment.optional(),
    last: z
      .object({ at: moment, job: z.uuid() })
      .optional()
      .openapi({ description: 'The moment it fired for last, and the job.' }),
    fired: count,
    missedCount: count.openapi({ description: 'Moments nobody fired, as far as counted.' }),
    skippedCount: count.openapi({ description: 'Moments left out while a run went on.' }),
    stamp: z.uuid(),
  })
  .openapi('Schedule')

export const ScheduleList = listOf(ScheduleView)
export const Preview = listOf(moment)
