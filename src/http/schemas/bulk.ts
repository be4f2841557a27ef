import { z } from '@hono/zod-openapi'
import { REASONS, STATES } from '../../job/state.ts'
import { text } from '../schemas.ts'
import { note } from './audit.ts'

/** What is to be done to all jobs that fit. */
export const BulkAct = z
  .strictObject({
    filter: z
      .strictObject({
        state: z.enum(STATES).optional(),
        job: text(100).optional(),
        queue: text(100).optional(),
        tag: text(100).optional(),
        reason: z.enum(REASONS).optional(),
      })
      .openapi({ description: 'At least one of these.' }),
    dryRun: z.boolean().optional().openapi({ description: 'Count, and change nothing.' }),
    limit: z.int().min(1).max(10_000).optional(),
    note,
    cursor: text(500).optional().openapi({ description: 'Where an earlier call ended.' }),
  })
  .openapi('BulkAct')

export const BulkDone = z
  .object({
    matched: z.int(),
    done: z.int(),
    refused: z.record(z.string(), z.int()).openapi({
      description: 'By what stood in the way: a state, taken, hooked, filling or gone.',
    }),
    nextCursor: z.string().optional(),
  })
  .openapi('BulkDone')
