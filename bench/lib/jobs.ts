import { defineJob, type Schema } from 'errand'

type Payload = { text: string }

const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'

/** Written by hand, so that no validator is measured. */
const payload: Schema<Payload> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => (isPayload(value) ? { value } : { issues: [{ message: 'needs a text' }] }),
  },
}

/** 100 bytes as JSON, as many as the yardstick stores. */
export const input: Payload = { text: 'x'.repeat(89) }

/** A job that does nothing: what is left is Errand. */
export const noop = defineJob({ name: 'bench.noop', input: payload, run: () => undefined })

type Sent = { sentAt: number }

const isSent = (value: unknown): value is Sent =>
  typeof value === 'object' &&
  value !== null &&
  'sentAt' in value &&
  typeof value.sentAt === 'number'

const sent: Schema<Sent> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => (isSent(value) ? { value } : { issues: [{ message: 'needs a moment' }] }),
  },
}

/** A moment that two processes of one machine agree on, in milliseconds with fractions. */
export const moment = (): number => performance.timeOrigin + performance.now()

/** Tells the process above how long it took from the enqueue to here. */
export const stamp = defineJob({
  name: 'bench.stamp',
  input: sent,
  run({ sentAt }) {
    process.send?.(moment() - sentAt)
  },
})
