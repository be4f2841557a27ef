import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Hands guidelines in at a steady rate and tells how long the answers took:
 * `node systems/guidelines/load.ts <url> [a second] [seconds]`, before a system that is up.
 */
const [url = 'http://127.0.0.1:7373/guidelines', rate = '50', seconds = '20'] =
  process.argv.slice(2)
const every = 1000 / Number(rate)
const count = Number(rate) * Number(seconds)
const text =
  'Staff must wash their hands. Doors should be shut at night. Visitors sign in. '.repeat(20)

const took: number[] = []
const refused = new Map<number, number>()

async function handIn(n: number): Promise<void> {
  const from = performance.now()
  const { status, body } = await fetch(`${url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ guidelines: `${n}. ${text}` }),
  })
  await body?.cancel()
  if (status < 300) took.push(performance.now() - from)
  else refused.set(status, (refused.get(status) ?? 0) + 1)
}

const from = performance.now()
const asked: Promise<void>[] = []
for (let n = 0; n < count; n++) {
  // What was due is sent, however late this loop is: a slow answer must not slow the asking.
  await sleep(Math.max(0, from + n * every - performance.now()))
  asked.push(handIn(n))
}
await Promise.all(asked)

const sorted = took.toSorted((a, b) => a - b)
const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
console.log(
  JSON.stringify({
    accepted: took.length,
    refused: Object.fromEntries(refused),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
  }),
)
