import { type Errand, handler, open } from 'errand'
import type { Records } from './batch/records.ts'
import { adopt, handOver } from './batch/worker-service.ts'
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
    const { web } = resources.domains
    const { step, progress, signal, warn } = context
    const facts = await crawl(input, { web, step, progress, signal, warn })
    log.info(`${whom}: ${input.domain} read, ${facts.pages.length} pages, ${facts.bytes} bytes`)
    return facts
  },
})

export const adoptLost = handler(adoptBatches, {
  async run(_, { log, resources: { domains } }) {
    const { records, settings } = domains
    const waiting = await records.waiting(Date.now() - settings.adoptMs)
    if (waiting.length === 0) return { adopted: 0 }
    await using errand = await openErrand(settings)
    const adopted = await adopt(waiting, errand)
    log.warn(`${adopted} batches had a record and no items; each has its job`)
    return { adopted }
  },
})

/** A door of its own for as long as batches are handed in: executors hold no connection to the store. */
const openErrand = ({ store }: Settings): Promise<Errand> => open(store)
