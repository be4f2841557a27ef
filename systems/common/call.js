const LATE_MS = 15_000
/** The keys of requests that nobody has answered yet, by what they ask. */
const open = new Map()

/**
 * Sends a request. Answers its status and its JSON, if it is any; nothing of both where the server does not answer in
 * time. What makes something bears a key, the same until the server has answered: pressed again, it makes no second.
 */
export async function call(url, options = {}) {
  const asked = options.method === 'POST' ? `${url}\n${markOf(options.body)}` : undefined
  const key = asked && (open.get(asked) ?? crypto.randomUUID())
  if (asked) open.set(asked, key)
  const headers = { ...options.headers, ...(key && { 'idempotency-key': key }) }
  try {
    const answer = await fetch(url, { ...options, headers, signal: AbortSignal.timeout(LATE_MS) })
    const body = await answer.json().catch(() => undefined)
    const isOk = answer.ok && body !== undefined
    // A page of somebody between is no answer, and who is told to wait asks for the same again.
    if (isOk || isFinal(answer.status)) open.delete(asked)
    return { status: answer.status, isOk, body }
  } catch {
    return { status: undefined, isOk: false, body: undefined }
  }
}

const isFinal = (status) => status >= 400 && status < 500 && status !== 408 && status !== 429

const markOf = (body) =>
  body instanceof File ? `${body.name} ${body.size} ${body.lastModified}` : (body ?? '')
