import { z } from '@hono/zod-openapi'

/** Why a job stands where it stands. */
export const WhyView = z
  .object({
    code: z.string().openapi({ example: 'NO_WORKER_FOR_QUEUE' }),
    text: z.string().openapi({ description: 'The same in a sentence for people.' }),
    ahead: z
      .int()
      .optional()
      .openapi({ description: 'Of a ready job: how many leave before it, counted to 1 000.' }),
  })
  .openapi('Why')
