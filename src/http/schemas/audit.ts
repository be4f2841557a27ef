import { z } from '@hono/zod-openapi'
import { ACTS } from '../../job/audit.ts'
import { text } from '../schemas.ts'

/** Why something is done, for the audit log. */
export const note = text(500).optional().openapi({ description: 'Why: kept in the audit log.' })

export const Noted = z.strictObject({ note }).openapi('Noted')

export const AuditQuery = z.strictObject({
  person: text(255).optional(),
  act: z.enum(ACTS).optional(),
  job: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(1).optional(),
})

export const AuditPage = z.object({
  data: z.array(
    z
      .object({
        n: z.int(),
        at: z.string().openapi({ format: 'date-time' }),
        act: z.string(),
        jobs: z.array(z.string()).readonly(),
        batch: z.string().optional(),
        schedule: z.string().optional(),
        queue: z.string().optional(),
        limit: z.string().optional(),
        person: z.string().optional(),
        tenant: z.string().optional(),
        from: z.string().optional(),
        note: z.string().optional(),
        signal: z.string().optional(),
        newInput: z.boolean().optional(),
      })
      .openapi('AuditEntry'),
  ),
  nextCursor: z.string().optional(),
})
