import {
  actsOf,
  isBarren,
  isEnded,
  isExpiry,
  isWithErrors,
  type Known,
  labelOf,
  type Status,
  statusOf,
} from './status.ts'

/** A mass payment as its owner is told of it. */
export function toView(id: string, known: Known) {
  const { create: first, confirm: second, cancel: third, payment } = known
  const status = statusOf(known)
  const withErrors = isWithErrors(status, known)
  const error = errorOf(status, known)
  const stage = [second, first].find((job) => job && !isEnded(job) && job.progress)?.progress
  return {
    id,
    status,
    label: labelOf(status, withErrors),
    with_errors: withErrors,
    ...(stage?.status !== undefined && { stage: stage.status }),
    ...(payment && {
      external_reference: payment.external_reference,
      backend_id: payment.id,
      counts: payment.counts,
    }),
    ...(status === 'processed' && {
      confirmation: {
        needed: !(payment && isBarren(payment)),
        ...(third && isExpiry(third) && { expires_at: third.runAt }),
      },
    }),
    ...(error && { error: { message: error.message, name: error.name } }),
    ...(third?.state === 'failed' && {
      cancellation: { refused: true, reason: third.error?.message ?? 'it came too late' },
    }),
    acts: actsOf(known),
    created_at: payment?.created_at ?? first?.createdAt,
  }
}

function errorOf(status: Status, { create, confirm, payment }: Known) {
  if (status === 'unknown' && payment?.status === 'unknown')
    return { message: payment.doubt, name: 'OddAnswer' }
  const isFailed = [create, confirm].some((job) => job?.state === 'failed')
  return isFailed ? (confirm?.error ?? create?.error) : undefined
}
