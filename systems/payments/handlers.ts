import { FatalError, handler, type Context } from 'errand'
import { z } from 'zod'
import { noSooner } from '../common/retry-after.ts'
import { type Backend, BackendError, isRefusal } from './backend.ts'
import { cancel, confirm, create, type MassPaymentRequest } from './contract.ts'
import type { MassPayment } from './mass-payment.ts'
import { askOnce } from './once.ts'
import { settings } from './settings.ts'
import { isBarren } from './status.ts'

declare module 'errand' {
  interface Resources {
    payments: Backend
  }
}

/** Where in its activity a job is; shown with its status. */
export const Stage = z.enum([
  'validating',
  'sending',
  'processing',
  'processed',
  'confirming',
  'creating',
  'created',
  'cancelling',
  'cancelled',
])
type Stage = z.infer<typeof Stage>

const POLL_MAX_MS = 5000
const POLLS_MAX = 2000

export const creating = handler(create, {
  run: patiently(async (request, context) => {
    const { id, tenant, signal, warn, resources } = context
    const backend = resources.payments
    const which = { client: tenant, id }
    say(context, 'validating')
    const payment = await askOnce('create', context, {
      look: () => backend.find(which, signal),
      ask: () => (say(context, 'sending'), backend.create(which, request, signal)),
      isRefusal,
      settleMs: settings.settleMs,
      freshMs: settings.freshMs,
    })
    // Who fails after this word failed though the backend has it; who fails before was refused by it.
    say(context, 'processing')
    refuseOther(payment, request)
    await whileIn('processing', payment, context)

    const { errored, received } = payment.counts
    if (errored > 0) warn('ROW_ERRORS')
    if (errored > 0 && request.on_row_errors === 'reject') {
      if (payment.status !== 'cancelled') await backend.cancel(payment.id, signal)
      throw new FatalError(`${errored} of ${received} payments were refused, so none is made`)
    }
    await follow(payment, request, context)
    say(context, 'processed')
  }),
})

export const confirming = handler(confirm, {
  run: patiently(async ({ id }, context) => {
    const { signal, warn, resources } = context
    say(context, 'confirming')
    const before = await found(id, context)
    const payment = await askOnce('confirm', context, {
      look: async () => {
        const now = await found(id, context)
        if (now.status === 'cancelled') throw new FatalError('it was cancelled before')
        return now.status === 'processed' ? undefined : now
      },
      ask: () => resources.payments.confirm(before.id, signal),
      isRefusal,
      settleMs: settings.settleMs,
      freshMs: settings.freshMs,
    })
    await whileIn('creating', payment, context)
    if (payment.counts.errored > 0) warn('ROW_ERRORS')
    say(context, 'created')
  }),
})

export const cancelling = handler(cancel, {
  run: patiently(async ({ id }, context) => {
    say(context, 'cancelling')
    const payment = await found(id, context)
    if (payment.status === 'creating' || payment.status === 'created')
      throw new FatalError('it was confirmed before')
    if (payment.status !== 'cancelled')
      await context.resources.payments.cancel(payment.id, context.signal)
    say(context, 'cancelled')
  }),
})

/** Tries again no sooner than the backend asked, nor than it would anyway. */
function patiently<Input>(run: (input: Input, context: Context) => Promise<void>) {
  return async (input: Input, context: Context): Promise<void> => {
    try {
      await run(input, context)
    } catch (error) {
      if (!(error instanceof BackendError)) throw error
      const { backoffMs, backoffMaxMs } = settings
      throw noSooner(
        error,
        error.waitMs,
        Math.min(backoffMs * 2 ** (context.attempt - 1), backoffMaxMs),
      )
    }
  }
}

/** What comes after a mass payment is processed is stored by the very step that ends its job. */
async function follow(
  payment: MassPayment,
  request: MassPaymentRequest,
  { id, enqueue }: Context,
): Promise<void> {
  if (payment.status !== 'processed') return
  const { auto_commit, accept_immediately, confirm_within } = request
  const isWanted = auto_commit ?? accept_immediately ?? false
  const mayBePart = request.accept_partial ?? request.on_row_errors === 'continue'
  const isClean = payment.counts.errored === 0 || (mayBePart && !isBarren(payment))
  const tags = [id]
  if (isWanted && isClean) return void (await enqueue('confirm', confirm, { id }, { tags }))
  const withinMs = confirm_within === undefined ? settings.confirmWithinMs : confirm_within * 1000
  if (withinMs > 0) await enqueue('expire', cancel, { id }, { tags, delay: withinMs })
}

/**
 * Lets the backend work in its own time, and holds no place meanwhile. The run after each wait looks anew, so what was
 * seen is from after all waits that are over.
 */
async function whileIn(
  status: 'processing' | 'creating',
  payment: MassPayment,
  context: Context,
): Promise<void> {
  if (payment.status !== status) return
  say(context, status)
  for (let poll = 0; poll < POLLS_MAX; poll++)
    await context.sleep(
      `${status} ${poll}`,
      Math.min(settings.pollMs * 2 ** Math.min(poll, 20), POLL_MAX_MS),
    )
  throw new FatalError(`the backend is still ${status}`)
}

/** The id of somebody's mass payment may have been used before, and the record of its job be gone. */
function refuseOther(payment: MassPayment, request: MassPaymentRequest): void {
  const isSame =
    payment.external_reference === request.external_reference &&
    payment.counts.received === request.payments.length
  if (!isSame) throw new FatalError('the backend has another mass payment under this id')
}

async function found(id: string, { tenant, signal, resources }: Context): Promise<MassPayment> {
  const payment = await resources.payments.find({ client: tenant, id }, signal)
  if (payment === undefined) throw new BackendError('the backend does not show it')
  return payment
}

const say = ({ progress }: Context, stage: Stage) => progress({ status: Stage.parse(stage) })
