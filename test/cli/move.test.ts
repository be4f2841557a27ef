import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Line, readLine, VERSION, writeLine } from '../../src/cli/move/lines.ts'
import { Parcel } from '../../src/cli/move/parcel.ts'
import { refuseWorkers, Stillness } from '../../src/cli/move/still.ts'
import type { Adoptee, BatchCopy } from '../../src/job/moving.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { HandClock } from '../support/clock.ts'
import { adoptee, batchCopy, copyAll, veteran } from '../support/copies.ts'
import { Hand, idsOf } from '../support/hand.ts'
import { plain } from '../support/histories/plain.ts'
import { bytes, cancels, chore, chores } from '../support/jobs.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-move-'))
after(() => rmSync(folder, { recursive: true }))

const NOW = Date.UTC(2026, 10, 21)
const exportedAt = new Date(NOW).toISOString()
const head: Line = {
  line: 'export',
  version: VERSION,
  release: '0',
  kind: 'x',
  schema: 1,
  exportedAt,
}
const word = { to: chore().id, name: 'call:a', key: 'x 1.0', value: bytes('{}'), urgent: true }
const alias = { id: chore().id, job: chore().id, fingerprint: 'f', until: NOW }

/** An export as it should be. */
function parcel(jobs: readonly Adoptee[], first: Line = head, batches: BatchCopy[] = []): string {
  const lines = [
    ...jobs.map((job): Line => ({ line: 'job', ...job })),
    { line: 'alias', ...alias } as const,
    ...batches.map((batch): Line => ({ line: 'batch', ...batch })),
    { line: 'word', ...word } as const,
  ]
  const text = [first, ...lines].map(writeLine).join('')
  const sha256 = createHash('sha256').update(text).digest('hex')
  const counts = { jobs: jobs.length, aliases: 1, batches: batches.length, words: 1 }
  return text + writeLine({ line: 'end', ...counts, sha256 })
}

let files = 0
async function read(text: string) {
  const name = join(folder, `${++files}.ndjson`)
  writeFileSync(name, text)
  await using opened = await Parcel.open(name, folder)
  const found = await Array.fromAsync(opened.parts())
  return {
    jobs: found.flatMap(({ jobs }) => jobs),
    aliases: found.flatMap(({ aliases }) => aliases),
    words: found.flatMap(({ words }) => words),
    entries: found.flatMap(({ entries }) => entries),
    batches: found.flatMap(({ batches }) => batches),
    parts: found.map((part) => [part.jobs.length, part.batches.length]),
  }
}

test('a job is read as it was written, to the byte', async () => {
  const jobs = [
    veteran(NOW),
    adoptee(NOW),
    adoptee(NOW, { state: 'waiting', waitingFor: 'handler' }),
    adoptee(NOW, {
      limits: [
        { key: 'a', running: 1 },
        { key: 'b', pending: 2 },
      ],
    }),
  ]
  const found = await read(parcel(jobs))
  assert.deepEqual(found.jobs.map(plain), jobs.map(plain))
  assert.deepEqual(found.aliases, [alias])
  assert.deepEqual(found.words.map(plain), [word].map(plain))
})

test('an export of the first version, which has no words, is read', async () => {
  const text = ['job', 'alias'].map((line) =>
    writeLine(line === 'job' ? { line, ...adoptee(NOW) } : { line: 'alias', ...alias }),
  )
  const all = [writeLine(head), ...text].join('')
  const sha256 = createHash('sha256').update(all).digest('hex')
  const found = await read(all + writeLine({ line: 'end', jobs: 1, aliases: 1, sha256 }))
  assert.deepEqual([found.jobs.length, found.words], [1, []])
})

test('what is kept under a name is read as it was written, also from a file of a release before', async () => {
  const bare = { kind: 'schedule', name: 'acme/a', stamp: chore().id, value: Buffer.from([0, 255]) }
  const entries = [{ ...bare, at: NOW }, bare]
  const text = [head, ...entries.map((entry): Line => ({ line: 'entry', ...entry }))]
    .map(writeLine)
    .join('')
  const sha256 = createHash('sha256').update(text).digest('hex')
  const end = writeLine({ line: 'end', jobs: 0, aliases: 0, entries: 2, sha256 })
  assert.deepEqual((await read(text + end)).entries, entries)
  assert.equal((await read(parcel([adoptee(NOW)], { ...head, version: 1 }))).jobs.length, 1)
})

test('policies that are alike are one and the same', async () => {
  const { jobs } = await read(parcel([adoptee(NOW), adoptee(NOW)]))
  assert.equal(jobs[0]?.policy, jobs[1]?.policy)
})

test('a batch is read as it was written, and before all jobs', async () => {
  const unique = { value: 'v', until: 'kept', onConflict: 'refuse' } as const
  const spans = { runAt: NOW, delayMs: 1, expiresInMs: 2, deadlineMs: 3 }
  const limits = [{ key: 'a', running: 1, pending: 2 }]
  const more = { unique, limits, fingerprint: 'f', tags: ['a'], subject: chore().id, ...spans }
  const end = chore({ input: bytes('\u0000'), ...more })
  const rare = { closedAt: NOW, endedAt: NOW, stopped: 'asked', failedMax: 0 } as const
  const batches = [batchCopy(NOW, { end, ...rare }), batchCopy(NOW)]
  const item = adoptee(NOW, { place: { batch: batches[0]?.id ?? '', index: 7 } })
  const found = await read(parcel([item], head, batches))
  assert.deepEqual(found.batches.map(plain), batches.map(plain))
  assert.deepEqual(plain(found.jobs[0]), plain(item))
  assert.deepEqual(found.parts, [
    [0, 2],
    [1, 0],
  ])
})

test('many jobs, and large ones, come in parts of a bounded size', async () => {
  // With the one that joined, and a word.
  const many = Array.from({ length: 1998 }, () => adoptee(NOW))
  const found = await read(parcel(many))
  assert.deepEqual([found.parts.length, idsOf(found.jobs)], [2, idsOf(many)])
  const large = Array.from({ length: 7 }, () => adoptee(NOW, { input: Buffer.alloc(1_500_000) }))
  assert.equal((await read(parcel(large))).parts.length, 3)
})

const whole = parcel([adoptee(NOW), adoptee(NOW)])
const swapped = whole.split('\n').toSpliced(1, 2, ...whole.split('\n').slice(1, 3).toReversed())
const broken: Record<string, [string, RegExp]> = {
  'that is empty': ['', /cut off/],
  'whose last line is missing': [whole.split('\n').slice(0, -2).join('\n'), /cut off/],
  'whose last character is missing': [whole.slice(0, -3), /cut off/],
  'cut in the middle': [whole.slice(0, whole.length / 2), /cut off/],
  'in which a value was changed': [whole.replace('"priority":5', '"priority":4'), /not as it was/],
  'whose lines stand in another order': [swapped.join('\n'), /not as it was/],
  'that goes on after its end': [`${whole}${writeLine({ line: 'alias', ...alias })}`, /cut off/],
  'of something else': ['{"hello":1}\n', /does not begin/],
  'of a newer release': [
    parcel([], { ...head, version: VERSION + 1, release: '9.9.9' }),
    /newer.*9\.9\.9/,
  ],
}

for (const [name, [text, why]] of Object.entries(broken))
  test(`an export ${name} is refused before anything is taken in`, async () => {
    await assert.rejects(read(text), (error) => {
      assert(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'INVALID_EXPORT')
      assert.match(error.message, why)
      return true
    })
  })

test('what a store may refuse is no line of an export', () => {
  const bad: Partial<Adoptee>[] = [
    { id: 'x' },
    { priority: 10 },
    { queue: 'a\0b' },
    { fence: 2 ** 48 },
    { runAt: -1 },
    { rev: 1.5 },
  ]
  for (const over of bad) {
    const text = JSON.stringify({
      ...JSON.parse(writeLine({ line: 'job', ...adoptee(NOW) })),
      ...over,
    })
    assert.equal(readLine(Buffer.from(text)), undefined, JSON.stringify(over))
  }
})

test('a store in which a worker lives is refused until its lease ran out', async () => {
  const clock = new HandClock()
  await using store = await SqliteStore.open(':memory:', { clock })
  await Hand.register(store)
  const refused = { code: 'WORKERS_ALIVE', message: /sqlite :memory: \(1\)/ }
  await assert.rejects(refuseWorkers(store), refused)
  await assert.rejects(Stillness.begin(store), refused)
  clock.advance(20_000)
  await refuseWorkers(store)
})

test('jobs that come, change or are not seen are noticed, and a worker that begins is', async () => {
  const moves: Record<string, (store: SqliteStore, id: string) => Promise<unknown>> = {
    came: (store) => store.insert([chore()]),
    changed: (store, id) => store.cancel(cancels([id])),
    began: (store) => Hand.register(store),
    'none of these': () => Promise.resolve(),
  }
  for (const [name, move] of Object.entries(moves)) {
    await using store = await SqliteStore.open(':memory:')
    const [first, ...others] = [...chores(2), chore({ queue: 'mail' })]
    await store.insert([first, ...others])
    const still = await Stillness.begin(store)
    assert.equal(still.total, 3)
    for (const job of (await copyAll(store)).jobs) still.saw(job)
    await move(store, first.id)
    const checked = await still.check(store).then(
      () => 'still',
      (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
    )
    const expected = { began: 'WORKERS_ALIVE', 'none of these': 'still' }[name] ?? 'JOBS_CHANGED'
    assert.equal(checked, expected, name)
  }
})
