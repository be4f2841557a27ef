import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { readAll } from '../common/settings.ts'

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MS = new Map<string, number>(Object.entries(UNITS))

export function millis(span: string): number {
  const [, amount = '0', unit = 'ms'] = /^(-?[\d.]+)([a-z]+)$/.exec(span) ?? []
  return Number(amount) * (MS.get(unit) ?? 1)
}

const Unit = z.enum(['ms', 's', 'm', 'h', 'd'])
const Span = z.templateLiteral([z.number(), Unit])
type Span = z.infer<typeof Span>

/** One shorter than the least does not fit. */
function span(usual: Span, leastMs = 1) {
  const error = `needs a span such as ${usual}`
  return z
    .templateLiteral([z.number(), Unit], { error })
    .refine((given) => millis(given) >= leastMs, { error })
    .default(usual)
}

const count = (usual: number) => z.coerce.number().int().min(0).default(usual)

/** Every figure of this system, as it is shipped. `GUIDELINES_…` in the environment says otherwise. */
const Figures = z.object({
  /** The real service; unless set, a stand-in is hired on the port below. */
  LLM_URL: z.url().optional(),
  LLM_MODEL: z.string().default('gpt-4o-mini'),
  LLM_KEY: z.string().optional(),
  LLM_KEY_FILE: z.string().optional(),
  LLM_RATE: z
    .templateLiteral([z.number(), '/', z.union([z.enum(['s', 'm', 'h', 'd']), Span])], {
      error: 'needs a rate such as 60/m',
    })
    .default('60/m'),
  LLM_TIMEOUT: span('120s'),
  KEY_GRACE: span('2s', 0),
  RETRY_AFTER_MAX: span('15m'),
  TURN_PATIENCE: span('5s'),
  BREAKER_FAILURES: count(10),
  BREAKER_HOLD: span('30s'),

  TEXT_MIN: count(10),
  TEXT_MAX: count(10_000),
  SUBMIT_STATUS: z.enum(['200', '201', '202']).default('200'),
  QUEUE: z.string().default('guidelines'),
  QUEUE_MAX: count(10_000),
  CLIENT_MAX: count(1000),

  ATTEMPTS: count(4),
  BACKOFF: span('60s'),
  SOFT_LIMIT: span('240s'),
  HARD_LIMIT: span('300s'),
  DEADLINE: span('1d'),
  EXPIRES_IN: span('1d'),
  EXPECTED: span('60s'),
  KEEP: span('30d', 0),
  KEEP_FAILED: span('30d', 0),

  STAND_IN_PORT: count(7474),
  STAND_IN_DELAY: span('1500ms', 0),
  STAND_IN_FILE: z.string(),
})
const Settings = Figures.refine(({ TEXT_MIN, TEXT_MAX }) => TEXT_MAX >= TEXT_MIN, {
  path: ['TEXT_MAX'],
  error: 'needs a number such as 10000, and no less than GUIDELINES_TEXT_MIN',
})
export type Settings = z.infer<typeof Settings>

export const PREFIX = 'GUIDELINES_'

export const readSettings = (env: NodeJS.ProcessEnv = process.env): Settings =>
  readAll(PREFIX, env, (given) => {
    const said = Object.keys(Figures.shape).flatMap((name) => {
      const text = given[PREFIX + name]
      return text === undefined || text === '' ? [] : [[name, text] as const]
    })
    const STAND_IN_FILE = `${given['ERRAND_DATA'] ?? '.errand'}/guidelines-stand-in.ndjson`
    return Settings.parse({ STAND_IN_FILE, ...Object.fromEntries(said) })
  })

export const settings = readSettings()

/** The key as it is now, the first line of its file: the file is read at every call, so that a new one is in force at once. */
export const llmKey = ({ LLM_KEY, LLM_KEY_FILE }: Settings): string =>
  LLM_KEY_FILE === undefined
    ? (LLM_KEY ?? 'none')
    : (readFileSync(LLM_KEY_FILE, 'utf8').trim().split(/\r?\n/, 1)[0] ?? '').trim()

export const llmUrl = ({ LLM_URL, STAND_IN_PORT }: Settings): string =>
  LLM_URL ?? `http://127.0.0.1:${STAND_IN_PORT}/v1`
