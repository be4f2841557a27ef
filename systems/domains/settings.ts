import { z } from 'zod'
import { type Env, readAll } from '../common/settings.ts'

/** Where the stand-in for the web listens. */
export const STAND_IN_PORT = 7472

const count = (usual: number, min = 1) => z.coerce.number().int().min(min).default(usual)

/** Every default is the team's own; the README explains each. */
const Environment = z.object({
  ERRAND_DATA: z.string().default('.errand'),
  ERRAND_STORE: z.string().optional(),
  DOMAINS_DATABASE: z
    .string()
    .refine(
      (url) => isPostgres(url) || !/^(?!sqlite:)\w+:/.test(url),
      'is sqlite:FILE or postgres://…',
    )
    .optional(),
  DOMAINS_WEB: z.union([z.literal('internet'), z.url()]).optional(),
  DOMAINS_CONCURRENT: count(5),
  DOMAINS_PAGES: count(3),
  DOMAINS_PER_BATCH: count(2000),
  DOMAINS_ATTEMPTS: count(3),
  DOMAINS_BACKOFF_MS: count(10_000, 0),
  DOMAINS_RETRY_AFTER_MAX_MS: count(3_600_000, 0),
  DOMAINS_JOB_TIMEOUT_MS: count(3_600_000),
  DOMAINS_PAGE_TIMEOUT_MS: count(10_000),
  DOMAINS_PAGE_BYTES: count(2_097_152),
  DOMAINS_REDIRECTS: count(5, 0),
  DOMAINS_SOCKETS: count(10),
  DOMAINS_AGENT: z.string().default('errand-domains/1.0'),
  DOMAINS_ADOPT_MS: count(15_000, 1000),
  DOMAINS_LIVE_MS: count(500),
  DOMAINS_KEEP_MS: count(2_592_000_000),
})

export type Settings = ReturnType<typeof readSettings>

export const readSettings = (env: Env) => readAll('DOMAINS_', env, read)

function read(env: Env) {
  const given = Environment.parse(env)
  const store = given.ERRAND_STORE ?? `sqlite:${given.ERRAND_DATA}/errand.db`
  return {
    /** Where Errand's jobs are. */
    store,
    /** Where the records of batches are: beside the jobs where that is PostgreSQL, else a file of their own. */
    database:
      given.DOMAINS_DATABASE ??
      (isPostgres(store) ? store : `sqlite:${given.ERRAND_DATA}/domains.db`),
    /** `internet`, or who answers for it; without either a stand-in is hired. */
    web: given.DOMAINS_WEB ?? `http://127.0.0.1:${STAND_IN_PORT}`,
    isHired: given.DOMAINS_WEB === undefined,
    concurrent: given.DOMAINS_CONCURRENT,
    pages: given.DOMAINS_PAGES,
    perBatch: given.DOMAINS_PER_BATCH,
    attempts: given.DOMAINS_ATTEMPTS,
    backoffMs: given.DOMAINS_BACKOFF_MS,
    retryAfterMaxMs: given.DOMAINS_RETRY_AFTER_MAX_MS,
    jobTimeoutMs: given.DOMAINS_JOB_TIMEOUT_MS,
    pageTimeoutMs: given.DOMAINS_PAGE_TIMEOUT_MS,
    pageBytes: given.DOMAINS_PAGE_BYTES,
    redirects: given.DOMAINS_REDIRECTS,
    sockets: given.DOMAINS_SOCKETS,
    agent: given.DOMAINS_AGENT,
    adoptMs: given.DOMAINS_ADOPT_MS,
    liveMs: given.DOMAINS_LIVE_MS,
    keepMs: given.DOMAINS_KEEP_MS,
  }
}

export const isPostgres = (url: string): boolean => /^postgres(ql)?:/.test(url)

export const settings = readSettings(process.env)
