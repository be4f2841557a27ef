import { z } from '@hono/zod-openapi'
import { count, listOf, moment, name, text } from '../schemas.ts'

const Pause = z
  .object({ since: moment, person: z.string().optional(), reason: z.string().optional() })
  .openapi('Pause', { description: 'The queue takes jobs in and hands none out.' })

export const Queues = listOf(
  z
    .object({
      queue: z.string(),
      accepted: count,
      erased: count,
      scheduled: count,
      ready: count,
      running: count,
      waiting: count,
      completed: count,
      failed: count,
      cancelled: count,
      oldestReadyAt: moment.optional(),
      paused: Pause.optional(),
    })
    .openapi('Queue'),
)

export const QueuePath = z.object({ queue: name })

export const PauseQueue = z
  .strictObject({
    reason: text(500).optional().openapi({ description: 'Why, for all who look; kept as it is.' }),
  })
  .openapi('PauseQueue')

export const QueueStanding = z
  .object({ queue: z.string(), paused: Pause.optional() })
  .openapi('QueueStanding')
