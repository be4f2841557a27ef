import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Tally } from './tally.ts'

/** 100 bytes as JSON where throughput is measured; a moment where the way to a handler is. */
export type Data = { text: string } | { sentAt: number }

export type Producer = {
  add(data: Data): Promise<unknown>
  addMany(many: readonly Data[]): Promise<unknown>
  /** A steady stream is sent as small batches by those who have no better way. */
  streamsInBatches?: boolean
  /** Leaves nothing in memory that belongs on disk. */
  close?(): Promise<unknown>
}

export type Work = { concurrency: number; executors: boolean }

/** A job queue as the bench sees it: node and bun programs have this in common. */
export type Peer = {
  produce(): Promise<Producer>
  /** Resolves when started. `handle` is the first line of every handler; it takes several at once. */
  work(how: Work, handle: (data?: Data, jobs?: number) => void): Promise<void>
  /** Ends what it started beside itself. */
  stop?(): Promise<unknown>
}

type Request = { id: number; verb: string } & Work & {
    count: number
    callers: number
    size: number
    seconds: number
    perSecond: number
  }

const ANSWERS = 3
/** Calls that a steady producer leaves under way before it waits. */
const CALLS_MAX = 2000
const BATCHES_MAX = 8
const WARM_UP_MS = 500

const payload: Data = { text: 'x'.repeat(89) }

/** Agreed on by all processes of a machine, in milliseconds with fractions. */
export const moment = (): number => Number(process.hrtime.bigint()) / 1e6

/** Answers requests, a line of JSON each: they come on standard input, answers leave on descriptor 3. */
export async function serve(peer: Peer): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const tally = new Tally(moment)
  let producer: Promise<Producer> | undefined
  const produce = () => (producer ??= peer.produce())

  async function answer({ verb, ...asked }: Request): Promise<object> {
    if (verb === 'fill') await fill(await produce(), asked.count)
    if (verb === 'enqueue') return enqueue(await produce(), asked)
    if (verb === 'pace') return pace(await produce(), asked)
    if (verb === 'work') await peer.work(asked, tally.handle)
    if (verb === 'count') return tally.count(asked.count, asked.seconds)
    if (verb === 'close') await (await produce()).close?.()
    return {}
  }

  for await (const line of createInterface({ input: process.stdin })) {
    const request: Request = JSON.parse(line)
    answer(request)
      .catch((error: unknown) => ({ error: String(error) }))
      .then((said) => writeSync(ANSWERS, `${JSON.stringify({ id: request.id, ...said })}\n`))
      .catch(() => process.exit(1))
  }
  await peer.stop?.()
  process.exit(0)
}

async function fill(producer: Producer, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1000)
    await producer.addMany(Array.from({ length: Math.min(left, 1000) }, () => payload))
}

/** Callers that each await their enqueue before the next, until time is up. */
async function enqueue(
  producer: Producer,
  { callers, size, seconds }: Pick<Request, 'callers' | 'size' | 'seconds'>,
): Promise<{ jobs: number; ms: number }> {
  const many = Array.from({ length: size }, () => payload)
  const once = size === 1 ? () => producer.add(payload) : () => producer.addMany(many)
  const until = async (end: number) => {
    let jobs = 0
    const caller = async () => {
      for (; moment() < end; jobs += size) await once()
    }
    await Promise.all(Array.from({ length: callers }, caller))
    return jobs
  }
  await until(moment() + WARM_UP_MS)
  const start = moment()
  const jobs = await until(start + seconds * 1000)
  return { jobs, ms: moment() - start }
}

/** Sends what has come due, without waiting for what was sent before unless very much is under way. */
async function pace(
  producer: Producer,
  { count, perSecond }: Pick<Request, 'count' | 'perSecond'>,
): Promise<{ ms: number }> {
  const start = moment()
  const batches = producer.streamsInBatches
  const calls = new Set<Promise<unknown>>()
  const track = (call: Promise<unknown>) => {
    calls.add(call)
    void call.then(() => calls.delete(call))
  }
  for (let sent = 0; sent < count;) {
    const due = Math.min(count, Math.floor(((moment() - start) * perSecond) / 1000) + 1)
    const data = () => ({ sentAt: moment() })
    if (batches && due > sent) track(producer.addMany(Array.from({ length: due - sent }, data)))
    else for (let i = sent; i < due; i++) track(producer.add(data()))
    sent = due
    while (calls.size > (batches ? BATCHES_MAX : CALLS_MAX)) await Promise.race(calls)
    await sleep(Math.max(1, start + (sent * 1000) / perSecond - moment()))
  }
  await Promise.all(calls)
  return { ms: moment() - start }
}
