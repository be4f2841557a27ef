import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { settings } from './settings.ts'

const QUEUE = 'domains'

/** For whom a job works; it is in the log of every job. */
const OnBehalf = z.object({ batch_id: z.string(), tenant_id: z.string(), user_id: z.string() })

export const BatchInput = OnBehalf.extend({
  domains: z.array(z.string()).min(1),
  max_pages: z.int().min(1),
  max_concurrent: z.int().min(1),
})

export const DomainInput = OnBehalf.extend({ domain: z.string(), max_pages: z.int().min(1) })

const Heading = z.object({ level: z.int(), text: z.string() })

/** A page of a domain: what was read, or why it could not be. */
export const PageFacts = z.object({
  url: z.string(),
  status: z.int().optional(),
  title: z.string().optional(),
  bytes: z.int().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** What is known of a domain once it was read. */
export const DomainFacts = z.object({
  domain: z.string(),
  url: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  language: z.string().optional(),
  headings: z.array(Heading),
  links: z.object({ internal: z.int(), external: z.int(), sample: z.array(z.string()) }),
  redirects: z.int(),
  bytes: z.int(),
  pages: z.array(PageFacts),
})
export type DomainFacts = z.infer<typeof DomainFacts>

/** Takes a batch apart into one job a domain. Its id is that of the batch in Errand. */
export const processBatch = defineJob({
  name: 'domains.batch',
  input: BatchInput,
  output: z.object({ domains: z.int() }),
  queue: QUEUE,
  priority: 'high',
  attempts: 100,
  backoff: exponential('1s', { max: '1m' }),
  keep: { record: settings.keepMs, failed: settings.keepMs },
})

/** Reads one domain: an item of its batch, tried again by itself. */
export const processDomain = defineJob({
  name: 'domains.domain',
  input: DomainInput,
  output: DomainFacts,
  queue: QUEUE,
  attempts: settings.attempts,
  backoff: exponential(settings.backoffMs),
  timeout: settings.jobTimeoutMs,
  fair: true,
  keep: { record: settings.keepMs, failed: settings.keepMs },
})

/** Gives batches their job where a process died between the record and the job. */
export const adoptBatches = defineJob({
  name: 'domains.adopt',
  input: z.object({}),
  output: z.object({ adopted: z.int() }),
  queue: QUEUE,
  priority: 'high',
  attempts: 1,
  keep: { record: '10m', failed: '1d' },
})
