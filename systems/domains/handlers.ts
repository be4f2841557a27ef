import { type Errand, handler, open } from 'errand'
import { noSooner } from '../common/retry-after.ts'
import type { Records } from './batch/records.ts'
import { adopt, forget, handOver, stop } from './batch/worker-service.ts'
import { adoptBatches, processBatch, processDomain } from './contract.ts'
import { crawl } from './scraper/crawl.ts'
import { PageError } from './scraper/error.ts'
import type { Web } from './scraper/web.ts'
import type { Settings } from './settings.ts'

declare module 'errand' {
  interface Resources {
    /** The pool of connections to the web, and the records; both shared by all jobs of an executor. */
    domains: { web: Web; records: Records; settings: Settings }
  }
}

/** For so long a cancel is looked after that may have died with its process. */
const STOPPING_MS = 600_000

const forWhom = (tenant: string, user: string) => `tenant ${tenant || '-'}, user ${user}`

export const takeApart = handler(processBatch, {
  async run(batch, { id, log, resources: { domains } }) {
    const whom = forWhom(batch.tenant_id, batch.user_id)
    log.info(`${whom}: batch ${batch.batch_id}, ${batch.domains.length} domains`)
    await using errand = await openErrand(domains.settings)
    return { domains: await handOver(batch, id, { errand, ...domains }) }
  },
})

export const readDomain = handler(processDomain, {
  retryIf: (error) => !(error instanceof PageError && error.isFinal),
  async run(input, context) {
    const { log, attempt, resources } = context
    const whom = forWhom(input.tenant_id, input.user_id)
    log.info(`${whom}: batch ${input.batch_id}, ${input.domain}, attempt ${attempt}`)
    const { web, settings } = resources.domains
    const { step, progress, signal, warn } = context
    const facts = await crawl(input, { web, step, progress, signal, warn }).catch((error) => {
      throw patient(error, attempt, settings)
    })
    log.info(`${whom}: ${input.domain} read, ${facts.pages.length} pages, ${facts.bytes} bytes`)
    return facts
  },
})

/** A busy site is left alone for as long as it asks, or as we let it: it holds its batch up. */
function patient(error: unknown, attempt: number, { backoffMs, retryAfterMaxMs }: Settings) {
  if (!(error instanceof PageError)) return error
  const usualMs = backoffMs * 2 ** (attempt - 1)
  return noSooner(error, Math.min(error.waitMs ?? 0, retryAfterMaxMs), usualMs)
}

export const adoptLost = handler(adoptBatches, {
  async run(_, { log, resources: { domains } }) {
    const { records, settings } = domains
    const now = Date.now()
    const waiting = await records.waiting(now - settings.adoptMs)
    const marked = await records.cancelled(now - STOPPING_MS)
    const old = await records.old(now - settings.keepMs)
    if (waiting.length + marked.length + old.length === 0) return { adopted: 0 }
    await using errand = await openErrand(settings)
    const adopted = await adopt(waiting, errand)
    if (adopted > 0) log.warn(`${adopted} batches had a record and no items; each has its job`)
    const stopped = await stop(marked, errand)
    if (stopped > 0)
      log.warn(`${stopped} batches were to be cancelled and went on; each is stopped`)
    await forget(old, { errand, records })
    return { adopted }
  },
})

/** A door of its own for as long as batches are handed in: executors hold no connection to the store. */
const openErrand = ({ store }: Settings): Promise<Errand> => open(store)
