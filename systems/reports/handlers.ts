import { FatalError, handler } from 'errand'
import { noSooner } from '../common/retry-after.ts'
import { type Carrier, CarrierError } from './carrier.ts'
import { carrierLimit, DAYS, nightly, report, send, sweep, unsent } from './contract.ts'
import { csvOf } from './csv.ts'
import { dayOf } from './file-name.ts'
import type { Messages, Reported } from './messages.ts'
import { inputOf } from './query.ts'
import { settings } from './settings.ts'
import { msOf } from './span.ts'
import { tagsOf } from './task.ts'

declare module 'errand' {
  interface Resources {
    reports: { messages: Messages; carrier: Carrier; rowsMax: number }
  }
}

const TOLD_EVERY = 5000
const SERVICES_A_RUN = 20
const DAY_MS = 86_400_000

export const makeReport = handler(report, {
  async run(input, { tenant, artifact, progress, signal, resources: { reports } }) {
    const { messages } = reports
    const { filename } = input
    const size = { rows: 0, bytes: 0 }
    const total = await messages.count(tenant, input)
    const counted = watched(messages.read(tenant, input), () => {
      signal.throwIfAborted()
      size.rows++
      if (size.rows % TOLD_EVERY === 0) progress({ done: size.rows, total })
    })
    const first = await counted.next()
    if (first.done) return { rows: 0, empty: true, filename, bytes: 0 }
    const csv = csvOf(from(first.value, counted))
    await artifact(filename, measured(csv, size), { type: 'text/csv' })
    progress({ done: size.rows, total: size.rows })
    return { rows: size.rows, empty: false, filename, bytes: size.bytes }
  },
})

export const makeNightly = handler(nightly, {
  async run({ after = '' }, { enqueue, resources: { reports } }) {
    const since = dayOf(Date.now() - 8 * DAY_MS)
    const services = (await reports.messages.services(since)).toSorted()
    const left = services.filter((service) => service > after)
    for (const service of left.slice(0, SERVICES_A_RUN))
      for (const days of DAYS) {
        const input = inputOf({ days }, service)
        if ((await reports.messages.count(service, input)) > reports.rowsMax) continue
        const options = { tenant: service, tags: tagsOf(input) }
        await enqueue(`${service} ${days}`, report, input, options)
      }
    const last = left[SERVICES_A_RUN - 1]
    if (left.length > SERVICES_A_RUN && last) await enqueue('more', nightly, { after: last })
  },
})

export const sweepMessages = handler(sweep, {
  run: async (_, { resources: { reports } }) => ({
    days: await reports.messages.sweep(Date.now() - msOf(settings.sourceKeep)),
  }),
})

export const noteUnsent = handler(unsent, {
  run: ({ input }, { tenant, resources: { reports } }) =>
    reports.messages.settle(tenant, input, 'failed'),
})

export const sendMessage = handler(send, {
  async run(place, { tenant, attempt, take, signal, idempotencyKey: key, resources }) {
    const { messages, carrier } = resources.reports
    const { to, template } = await messages.one(tenant, place)
    await take(carrierLimit.name)
    const status = await carrier.deliver({ to, template }, { key, signal }).catch((error) => {
      if (!(error instanceof CarrierError)) throw error
      const { sendBackoff: waits } = settings
      const usual = waits[Math.min(attempt, waits.length) - 1]
      throw noSooner(error, error.waitMs, usual === undefined ? 0 : msOf(usual))
    })
    await messages.settle(tenant, place, status)
    if (status === 'failed') throw new FatalError('the carrier does not deliver to this number')
  },
})

async function* watched(messages: AsyncIterable<Reported>, each: () => void) {
  for await (const message of messages) {
    each()
    yield message
  }
}

async function* from(first: Reported, rest: AsyncIterable<Reported>) {
  yield first
  yield* rest
}

/** Passes a stream through and counts its bytes. */
async function* measured(content: AsyncIterable<Uint8Array>, size: { bytes: number }) {
  for await (const chunk of content) {
    size.bytes += chunk.length
    yield chunk
  }
}
