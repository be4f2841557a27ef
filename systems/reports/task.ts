import type { Desk, JobView, Progress } from 'errand'
import { DAYS, Origin, type ReportInput, ReportResult, uniqueOf } from './contract.ts'

export type Status = 'queued' | 'running' | 'complete' | 'failed' | 'expired'
export type Task = {
  id: string
  status: Status
  days: ReportInput['days']
  origin: Origin
  from: string
  to: string
  /** In whose days its window is reckoned. */
  zone: string
  created_at: string
  ended_at?: string
  progress?: Progress
  rows?: number
  /** There was nothing to report: no file, and no failure. */
  empty?: boolean
  filename?: string
  bytes?: number
  url?: string
  expires_at?: string
}

const WORDS = /^reports:(\d)d:([\w-]+)$/
const WINDOW = /^window:([^/]+)\/(.+)$/
const LINK_LIFE = '7d'

/** What a report is known by, beside its id: it may lie in the clear. */
export const wordsOf = ({ days, origin }: Pick<ReportInput, 'days' | 'origin'>): string =>
  `reports:${days}d:${origin}`

export const tagsOf = (input: ReportInput): string[] => [
  wordsOf(input),
  uniqueOf(input),
  `window:${input.from}/${input.to}`,
]

/** A report in the words of this API. Of what went wrong nothing is told: it might name a recipient. */
export function toTask(
  view: JobView,
  { errand, zone }: { errand: Pick<Desk, 'link'>; zone: string },
): Task {
  const { id, tags = [], progress, createdAt, endedAt } = view
  const status = statusOf(view)
  return {
    id,
    status,
    ...readTags(tags),
    zone,
    created_at: createdAt,
    ...(endedAt && { ended_at: endedAt }),
    ...(status === 'running' && progress && { progress }),
    ...(status === 'complete' && toResult(view, errand)),
  }
}

export function statusOf({ state, artifacts, result }: JobView): Status {
  if (state === 'failed' || state === 'cancelled') return 'failed'
  if (state === 'running') return 'running'
  if (state !== 'completed') return 'queued'
  // Sealed under a key that is taken away, neither it nor its file can be read any more.
  const { data } = ReportResult.safeParse(result)
  const isThere = artifacts?.some(({ expiresAt }) => Date.parse(expiresAt) > Date.now())
  return data && (isThere || data.empty) ? 'complete' : 'expired'
}

function toResult({ id, result, artifacts = [] }: JobView, errand: Pick<Desk, 'link'>) {
  const { rows, empty, filename, bytes } = ReportResult.parse(result)
  const [file] = artifacts
  if (file === undefined) return { rows, empty, filename }
  const url = errand.link(id, file.file, LINK_LIFE)
  return { rows, empty, filename, bytes, url, expires_at: file.expiresAt }
}

function readTags(tags: readonly string[]) {
  const [, days, origin] = tags.map((tag) => WORDS.exec(tag)).find((found) => found) ?? []
  const [, from = '', to = ''] = tags.map((tag) => WINDOW.exec(tag)).find((found) => found) ?? []
  return {
    days: DAYS.find((one) => `${one}` === days) ?? 1,
    origin: Origin.catch('all').parse(origin),
    from,
    to,
  }
}
