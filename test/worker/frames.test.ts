import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { Report } from '../../src/job/outcome.ts'
import { type Frame, Frames } from '../../src/worker/frames.ts'
import {
  noteFrame,
  readNote,
  readReport,
  readRun,
  reportFrame,
  runFrame,
} from '../../src/worker/messages.ts'
import { claimed } from '../support/claimed.ts'
import { settled } from '../support/counting.ts'
import { bytes, chore } from '../support/jobs.ts'
import { seeded } from '../support/random.ts'

type Said = Frame<unknown>

/** A stream that keeps what is written to it, write by write. */
function paper(): { stream: Duplex; writes: Buffer[] } {
  const writes: Buffer[] = []
  const write = (chunk: Buffer, _: string, done: () => void) => (writes.push(chunk), done())
  return { stream: new Duplex({ read: () => undefined, write }), writes }
}

async function written(batches: readonly (readonly Said[])[]): Promise<Buffer[]> {
  const { stream, writes } = paper()
  const frames = new Frames<unknown, unknown>(stream, () => undefined)
  for (const batch of batches) {
    for (const { message, bytes: parts } of batch) frames.say(message, parts)
    await settled()
  }
  return writes
}

/** What is heard when these chunks arrive one after another. */
async function heard(chunks: readonly Buffer[]): Promise<unknown[]> {
  const { stream } = paper()
  const said: Said[] = []
  const frames = new Frames<unknown, unknown>(stream, (frame) => void said.push(frame))
  for (const chunk of chunks) stream.push(chunk)
  await settled()
  assert(frames)
  return said.map(plain)
}

const plain = ({ message, bytes: parts }: Said) => [
  message,
  ...parts.map((part) => Buffer.from(part).toString('hex')),
]

const random = seeded(7)
const anyBytes = () => Buffer.from(Array.from({ length: random(40) }, () => random(256)))
const anyFrame = (): Said => ({
  message: { say: 'é'.repeat(random(5)), n: random(1000) },
  bytes: Array.from({ length: random(3) }, anyBytes),
})
const batches = Array.from({ length: 4 }, () => Array.from({ length: 1 + random(3) }, anyFrame))
const expected = batches.flat().map(plain)

test('what is said in one turn leaves in one write', async () => {
  assert.equal((await written(batches)).length, batches.length)
})

test('batches are heard as they were said, wherever their bytes are cut', async () => {
  const all = Buffer.concat(await written(batches))
  for (let at = 0; at <= all.length; at++)
    assert.deepEqual(await heard([all.subarray(0, at), all.subarray(at)]), expected, `cut at ${at}`)
})

test('batches are heard when they come byte by byte', async () => {
  const all = Buffer.concat(await written(batches))
  const single = [...all].map((byte) => Buffer.of(byte))
  assert.deepEqual(await heard(single), expected)
})

test('nothing is heard of half a batch', async () => {
  const all = Buffer.concat(await written(batches.slice(0, 1)))
  assert.deepEqual(await heard([all.subarray(0, -1)]), [])
})

test('what is said to a stream that is gone is not an error', async () => {
  const { stream, writes } = paper()
  const frames = new Frames<unknown, unknown>(stream, () => undefined)
  stream.destroy()
  frames.say({ say: 'late' })
  await settled()
  assert.deepEqual(writes, [])
})

/** A frame after its message went through JSON. */
const sent = <Message>({ message, bytes: parts }: Frame<Message>): Frame<Message> => ({
  message: JSON.parse(JSON.stringify(message)),
  bytes: parts,
})

test('what running a job takes of it comes to its executor, and no more', () => {
  const steps = ['a', 'b'].map((name) => ({ name, at: 7, value: Buffer.from(name) }))
  const subject = { input: Buffer.of(1), result: Buffer.of(2) }
  const mail = [{ name: 'signal:a', key: 'k', at: 8, value: Buffer.of(255), urgent: true }]
  const job = claimed({}, { input: Buffer.of(0, 255), failures: 1, steps, mail, subject })
  const limits = { softMs: 5, hardMs: 6, attemptsMax: 2, now: Date.now() }
  const { message, bytes: parts } = sent(runFrame(job, limits))
  assert(message.say === 'run')
  assert.deepEqual([message.softMs, message.attemptsMax], [5, 2])
  const { id, fence, job: name, tenant, failures, input } = job
  const task = { id, fence, job: name, tenant, failures, input, steps, mail, subject }
  assert.deepEqual(readRun(message.job, parts), task)
})

const REPORTS: Report[] = [
  { how: 'completed', withErrors: false, artifacts: [] },
  { how: 'completed', withErrors: true, artifacts: [], result: Buffer.of(0, 255) },
  { how: 'completed', withErrors: false, artifacts: [], result: Buffer.alloc(0) },
  { how: 'completed', withErrors: false, artifacts: [], more: [chore(), chore({ tags: ['x'] })] },
  { how: 'completed', withErrors: false, artifacts: [], result: bytes('1'), more: [chore()] },
  { how: 'suspended', for: 'it', one: ['a'], all: ['b'], wakeAt: 5 },
  { how: 'failed', reason: 'timeout', error: Buffer.of(255), retry: false, delayMs: 5 },
  { how: 'cancelled' },
  { how: 'released', begun: true },
  { how: 'unknown' },
]

test('a report comes to its foreman as it was made', () => {
  for (const report of REPORTS) {
    const { message, bytes: parts } = sent(reportFrame(claimed(), report, 1.5))
    assert(message.say === 'report')
    assert.equal(message.ranMs, 1.5)
    assert.deepEqual(readReport(message, parts), report)
  }
})

test('a note comes to its foreman as it was made', () => {
  const line = { at: 1, level: 'info', text: 'é' } as const
  for (const said of [
    { log: [line] },
    { progress: bytes('{}') },
    { log: [line], progress: bytes('1') },
    { step: { name: 'a', value: bytes('') } },
    { step: { name: 'call:a', value: bytes('1') }, child: chore({ tags: ['x'] }) },
  ]) {
    const note = { id: claimed().id, fence: 3, ...said }
    const { message, bytes: parts } = sent(noteFrame(note))
    assert(message.say === 'note')
    assert.deepEqual(readNote(message, parts), note)
  }
})
