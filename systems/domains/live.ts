import type { BatchStatus } from './batch/status.ts'

const RETRY_MS = 2000
const HEARTBEAT_MS = 15_000

/**
 * A batch as server-sent events: `domain` for each domain that changed, `batch` for the counts. Nothing is kept for
 * events: who comes back is told how all of it stands. When it is over the last event is `end`.
 */
export async function* toEvents(
  statuses: AsyncIterable<BatchStatus>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const told = new Map<string, string>()
  let spokenAt = performance.now()
  yield frame(`retry: ${RETRY_MS}`)
  for await (const { domains, ...batch } of statuses) {
    const news = [
      ...Object.entries(domains).map(([domain, status]) => ({ domain, ...status })),
      batch,
    ].flatMap((said) => {
      const key = 'domain' in said ? said.domain : ''
      const text = JSON.stringify(said)
      const mark = markOf(said)
      if (told.get(key) === mark) return []
      told.set(key, mark)
      return [`event: ${key === '' ? 'batch' : 'domain'}\ndata: ${text}`]
    })
    if (news.length > 0) yield frame(news.join('\n\n'))
    else if (performance.now() - spokenAt > HEARTBEAT_MS) yield frame(':')
    else continue
    spokenAt = performance.now()
  }
  yield frame('event: end\ndata: {}')
}

/** What is new by itself with each look is no news. */
const markOf = (said: object): string =>
  JSON.stringify(said, (name: string, value: unknown) => (name === 'processing_time' ? 0 : value))

const frame = (text: string) => new TextEncoder().encode(`${text}\n\n`)
