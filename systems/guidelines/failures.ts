import type { Desk as Whole, JobView } from 'errand'

type Desk = Pick<Whole, 'attempts' | 'logs'>
type Said = { code: string; message: string }

/** The reason of the platform comes first: a handler that caught its own time-out does not hide it. */
export async function toError(errand: Desk, view: JobView): Promise<Said & { cause?: Said }> {
  const { state, reason, error } = view
  if (state === 'cancelled') return { code: 'CANCELLED', message: 'Cancelled' }
  if (reason !== 'timeout') return toSaid(error, reason)
  const cause = await lastOfLlm(errand, view)
  return { code: 'TIMEOUT', message: 'Processing timeout', ...(cause && { cause }) }
}

/** Why it is among the dead letters, and what its attempts said first and last. */
export async function toLetter(errand: Desk, view: JobView) {
  const { id, createdAt, endedAt, reason, attemptsMax } = view
  const [attempts, last] = await Promise.all([errand.attempts(id), toError(errand, view)])
  const failed = attempts.flatMap(({ error }) => error ?? [])
  const first = failed.find((error) => !isLate(error)) ?? last.cause ?? failed[0]
  return {
    event_id: id,
    reason,
    attempts: failed.length,
    attempts_max: attemptsMax,
    created_at: createdAt,
    failed_at: endedAt,
    ...(first && { first_error: toSaid(first) }),
    last_error: last,
  }
}

/** What the LLM said last to one whose time passed while it waited. A hold leaves no attempt, but a line in its log. */
async function lastOfLlm(errand: Desk, { id, error }: JobView): Promise<Said | undefined> {
  if (isOfLlm(error)) return toSaid(error)
  if (!isLate(error)) return undefined
  const [attempts, lines] = await Promise.all([errand.attempts(id), errand.logs(id)])
  const codes = lines.flatMap(({ text }) => /^failed: LlmError (\w+)$/.exec(text)?.[1] ?? [])
  const said = attempts.flatMap((attempt) => (isOfLlm(attempt.error) ? attempt.error : [])).at(-1)
  const code = codes.at(-1) ?? said?.code
  if (code === undefined) return undefined
  return said?.code === code ? toSaid(said) : { code, message: 'calls of the LLM were paused' }
}

type Failure = JobView['error']

const isOfLlm = (error: Failure) => error?.name === 'LlmError'
const isLate = (error: Failure) => error?.name === 'DeadlineError'

const toSaid = (error: Partial<Said> | undefined, reason?: string): Said => ({
  code: error?.code ?? reason?.toUpperCase() ?? 'ERROR',
  message: error?.message ?? 'The job failed',
})
