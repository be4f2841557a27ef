import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from './support/compile.ts'

const HEAD = `
import { defineApp, defineJob, defineSchedule, ErrandError, exponential, handler, open, type Transaction, type WorkerSettings } from 'errand'
import { z } from 'zod'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(proof: Same<A, B>) => proof

export const sum = defineJob({
  name: 'sum',
  input: z.object({ of: z.array(z.number()), from: z.string().transform(Number) }),
  output: z.object({ total: z.number() }),
})
export const free = defineJob({ name: 'free', input: z.string(), run: (text) => text.length })
export const errand = await open()
`

const ACCEPTED = `
export const add = handler(sum, {
  run: ({ of, from }) => {
    same<typeof of, number[]>(true)
    same<typeof from, number>(true)
    return { total: of.length + from }
  },
})
const { id } = await errand.enqueue(sum, { of: [1], from: '2' }, { delay: '5m', priority: 'high' })
const result = await errand.result(sum, id, { wait: '30s' })
same<typeof result, { total: number }>(true)
const now = await errand.run(add, { of: [], from: '1' })
same<typeof now, { total: number }>(true)
await errand.run(free, 'text')
await errand.enqueue('by.name', { anything: [1, 'goes'] })
await errand.enqueueMany(free, ['a', 'b'])
defineJob({ name: 'a', input: z.string(), unique: { by: (text) => text.trim() } })
defineJob({ name: 'a', input: z.string(), backoff: exponential('1m', { max: '1h', jitter: 0.2 }) })
defineJob({ name: 'a', input: z.string(), timeout: { soft: '4m', retry: false }, keep: { record: '1d' } })
handler(free, { run: async (text, { signal, log, progress }) => (log.info(text), progress({ done: 1 }), signal) })
defineApp({ jobs: [sum, free], handlers: async () => ({ add }) })
defineApp({ jobs: [free], schedules: [defineSchedule({ name: 's', job: free, input: 'a', every: '1h' })] })
defineSchedule({ name: 's', job: sum, input: { of: [1], from: '2' }, cron: '0 2 * * *', missed: 'all' })
new ErrandError('ID_TAKEN', { id: 'x' })
export const settings: Partial<WorkerSettings> = { concurrency: 3 }
declare module 'errand' {
  interface Resources { db: { query(): string } }
}
handler(free, { run: (_, { resources }) => resources.db.query() })
import { Client, type PoolClient } from 'pg'
await errand.enqueue(free, 'a', { tx: new Client(), priority: 'high' })
await errand.enqueueMany('by.name', [1], { tx: {} as PoolClient })
const tx: Transaction = { query: async (text, values) => ({ rows: [text, ...values] }) }
await errand.enqueue(free, 'a', { tx, id: 'x' })
import { defineLimit, Hold } from 'errand'
const llm = defineLimit('llm', { rate: '60/m' })
defineApp({ jobs: [free], limits: [llm, defineLimit('mail', { rate: '20/6s' })] })
handler(free, { run: async (text, { take }) => { await take('llm', 3); if (text === '') throw new Hold('llm', '30s') } })
await errand.run(free, 'text', { limits: [llm] })
`

/** Each line is to be refused. */
const REFUSED = `
await errand.enqueue(sum, { of: ['1'], from: '2' })
await errand.enqueue(sum, { of: [1], from: 2 })
await errand.enqueue(sum, {})
await errand.enqueue(free, 1)
await errand.enqueueMany(free, ['a', 2])
await errand.enqueue(free, 'a', { qeue: 'a' })
await errand.enqueue(free, 'a', { delay: 'soon' })
await errand.enqueue(free, 'a', { priority: 'urgent' })
await errand.enqueue(free, 'a', { tx: {} })
await errand.enqueue(free, 'a', { tx: 'begin' })
await errand.enqueueMany(free, ['a'], { tx: { query: async () => [] } })
handler(sum, { run: () => ({ total: '1' }) })
handler(sum, { run: ({ missing }) => ({ total: 1 }) })
handler(sum, { retryIf: () => true })
defineJob({ name: 'a' })
defineJob({ name: 'a', input: z.string(), atempts: 2 })
defineJob({ name: 'a', input: z.string(), output: z.number(), run: () => 'text' })
defineJob({ name: 'a', input: z.string(), unique: { by: (text) => text.length } })
defineJob({ name: 'a', input: z.string(), onLost: 'ignore' })
defineJob({ name: 'a', input: z.string(), timeout: { sofd: '4m' } })
await errand.run(sum, { of: [1], from: '2' })
defineSchedule({ name: 's', job: free, input: 1, every: '1h' })
defineSchedule({ name: 's', job: free, input: 'a', every: 'often' })
defineSchedule({ name: 's', job: free, input: 'a', corn: '0 2 * * *' })
defineSchedule({ name: 's', job: free, input: 'a', every: '1h', overlap: 'queue' })
defineSchedule({ name: 's', job: free, every: '1h' })
handler(free, { run: (_, context) => { context.attempt = 2 } })
handler(free, { run: (_, { resources }) => resources.cache })
same<Awaited<ReturnType<typeof errand.result<typeof sum.input, typeof sum.input>>>, string>(true)
new ErrandError('ID_TAKEN', {})
new ErrandError('NO_SUCH_CODE', {})
defineApp({ jobs: ['sum'] })
defineApp({ jobs: [sum], limits: ['llm'] })
handler(free, { run: (_, { take }) => take(3) })
await open('sqlite::memory:', { job: [sum] })
`

const lines = (text: string) => text.trim().split('\n')

test('what is right compiles, and results are typed by their schemas', () => {
  assert.deepEqual(compile({ 'accepted.ts': HEAD + ACCEPTED }), [])
})

test('what is wrong is refused where it is written', () => {
  const first = lines(HEAD).length + 1
  const complaints = compile({ 'refused.ts': `${HEAD.trim()}\n${REFUSED.trim()}\n` })
  const refused = new Set(complaints.map(({ line }) => line))
  const accepted = lines(REFUSED).filter((_, i) => !refused.has(first + i))
  assert.deepEqual(accepted, [])
  assert(
    complaints.every(({ line }) => line >= first),
    JSON.stringify(complaints[0]),
  )
})
