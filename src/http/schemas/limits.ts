import { z } from '@hono/zod-openapi'
import { count, listOf, moment, text } from '../schemas.ts'

export const LimitPath = z.object({ name: text(100) })

export const LimitView = z
  .object({
    name: z.string(),
    rate: z.string().optional().openapi({
      example: '60/m',
      description: 'As whoever took last said; none if it was only held.',
    }),
    taken: count.openapi({ description: 'How many calls passed within the span up to now.' }),
    count: count.optional().openapi({ description: 'How many may.' }),
    closedUntil: moment.optional().openapi({ description: 'A handler closed it; nobody calls.' }),
  })
  .openapi('RateLimit')

export const Limits = listOf(LimitView)

export const Opened = z
  .object({
    name: z.string(),
    woken: count.openapi({ description: 'Jobs that were given back because of it, and run now.' }),
  })
  .openapi('OpenedLimit')
