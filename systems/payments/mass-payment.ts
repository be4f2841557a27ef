import { z } from 'zod'

const Counts = z.object({
  received: z.int(),
  processed: z.int(),
  errored: z.int(),
  created: z.int(),
})

/** A mass payment as the backend has it: the truth about it. */
export const MassPayment = z.object({
  id: z.string(),
  mp_uuid: z.guid().toLowerCase(),
  external_reference: z.string(),
  status: z.enum(['processing', 'processed', 'creating', 'created', 'cancelled']),
  counts: Counts,
  created_at: z.string(),
})
export type MassPayment = z.infer<typeof MassPayment>

/** What can be made of one that is told of in words that are not known here. */
const Hint = z.object({
  id: z.string().optional().catch(undefined),
  mp_uuid: z.guid().toLowerCase().optional().catch(undefined),
  external_reference: z.string().optional().catch(undefined),
  counts: Counts.optional().catch(undefined),
  created_at: z.string().optional().catch(undefined),
})
type Doubtful = z.infer<typeof Hint> & { status: 'unknown'; doubt: string }

/** A mass payment as people see it. Nobody acts on one that is in doubt. */
export type Seen = MassPayment | Doubtful

/** Of two that bear one MP-UUID nobody knows which is meant. */
export const TWO = 'the backend has two mass payments of this id; a person must look'

export function see(told: unknown): Seen {
  const { data, error } = MassPayment.safeParse(told)
  if (data) return data
  const what = error.issues[0]?.path.join('.')
  const doubt = `what the backend says of its ${what} is not understood here`
  return { ...Hint.parse(told), status: 'unknown', doubt }
}

export function alone(seen: readonly Seen[]): Seen[] {
  const times = Map.groupBy(seen, ({ mp_uuid }) => mp_uuid)
  return seen.map((one) =>
    one.mp_uuid !== undefined && times.get(one.mp_uuid)?.[1]
      ? { ...one, status: 'unknown', doubt: TWO }
      : one,
  )
}
