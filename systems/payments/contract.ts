import { randomUUID } from 'node:crypto'
import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { settings } from './settings.ts'

/** One payment of many. Whether it can be made is for the backend to say. */
export const Row = z.strictObject({
  reference: z.string().max(140).optional(),
  beneficiary: z.string().min(1).max(140),
  iban: z.string().regex(/^[A-Z]{2}\d{2}[A-Z\d]{11,30}$/, 'needs an IBAN without spaces'),
  amount: z.string().regex(/^\d{1,12}(\.\d{1,2})?$/, 'needs a text such as "12.50"'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'needs three capitals such as EUR'),
})

/** What the backend's refusing of rows means for the others. */
export const OnRowErrors = z.enum(['hold', 'continue', 'reject'])

export const MassPaymentRequest = z
  .strictObject({
    external_reference: z.string().max(140).default(''),
    /** Confirmed as soon as it is processed; with row errors as `on_row_errors` says. */
    auto_commit: z.boolean().optional(),
    /** The same under the name that some callers know it by. */
    accept_immediately: z.boolean().optional(),
    on_row_errors: OnRowErrors.default('hold'),
    /** `continue`, under the name that some callers know it by. */
    accept_partial: z.boolean().optional(),
    /** Cancelled unless it is confirmed within so many seconds. */
    confirm_within: z.int().min(1).max(31_536_000).optional(),
    payments: z.array(Row).min(1).max(settings.rowsMax),
  })
  // Of two names for one thing, neither wins: it is money.
  .refine(
    ({ auto_commit: one, accept_immediately: other = one }) => one === undefined || one === other,
    {
      path: ['accept_immediately'],
      error: 'says the opposite of auto_commit',
    },
  )
  .refine(
    ({ accept_partial, on_row_errors }) =>
      accept_partial === undefined ||
      on_row_errors === 'hold' ||
      accept_partial === (on_row_errors === 'continue'),
    { path: ['accept_partial'], error: 'says the opposite of on_row_errors' },
  )
export type MassPaymentRequest = z.output<typeof MassPaymentRequest>

const Which = z.strictObject({ id: z.uuid() })

/** What the jobs of payments have in common: bank data never rests in the clear, and little stays for long. */
const common = {
  data: 'sealed',
  attempts: settings.attempts,
  backoff: exponential(settings.backoffMs, { max: settings.backoffMaxMs }),
  timeout: settings.runMs,
  keep: {
    input: 0,
    record: settings.keepMs,
    // While the backend may still take in what it was asked for, that it was asked is not forgotten.
    failed: Math.max(settings.keepMs, settings.settleMs),
  },
} as const

/** Brings a mass payment to the backend and has it processed there. Its id is the MP-UUID. */
export const create = defineJob({
  name: 'payments.create',
  input: MassPaymentRequest,
  inputMax: 8_388_608,
  // By the key of its caller, where there is one: for as long as its record is kept.
  unique: { by: () => randomUUID(), until: 'kept' },
  ...common,
})

/** Has the backend create the payments of a processed mass payment. One per mass payment. */
export const confirm = defineJob({
  name: 'payments.confirm',
  input: Which,
  priority: 'high',
  unique: { by: ({ id }) => id, until: 'kept' },
  ...common,
})

/** Cancels a mass payment that nobody confirmed: when its time is over, or when its owner says so. */
export const cancel = defineJob({
  name: 'payments.cancel',
  input: Which,
  unique: { by: ({ id }) => id },
  ...common,
  // Its owner relies on it, however long the backend is away.
  attempts: 100,
})
