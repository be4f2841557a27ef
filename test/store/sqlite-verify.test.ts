import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Installation } from '../support/command.ts'
import { Hand, running } from '../support/hand.ts'
import { again, bytes, chore, completed, failed, HOUR, parked, suspended } from '../support/jobs.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-verify-'))
const whole = join(folder, 'whole.db')
after(() => rmSync(folder, { recursive: true }))

const FILE = { file: 'a.txt', type: 'text/plain', bytes: 1, sha256: 'x', keepMs: HOUR }

/** A store with something of every kind in it. */
before(async () => {
  await using store = await SqliteStore.open(whole)
  const worker = await Hand.register(store)
  const tagged = await running(store, worker, chore({ tags: ['red'] }))
  await worker.note(tagged, { log: [{ at: 1, level: 'info', text: 'x' }], progress: bytes('1') })
  await worker.settle(tagged, completed({ artifacts: [FILE] }))
  const unique = { value: 'one', until: 'end', onConflict: 'join' } as const
  const doomed = await running(store, worker, chore({ unique }))
  await worker.settle(doomed, failed({ hook: chore({ queue: 'hooks', subject: doomed.id }) }))
  await worker.settle(await running(store, worker, chore()), again(HOUR))
  await worker.settle(await running(store, worker, chore()), parked())
  const waiting = await running(store, worker, chore())
  await store.post([{ to: waiting.id, name: 'early', key: '', value: bytes('1') }])
  await worker.settle(waiting, suspended({ one: ['go'] }))
  await running(store, worker, chore())
  await store.insert([chore({ queue: 'later' })])
  const batch = { id: newId(), job: 'chore', tenant: '', keepMs: HOUR }
  await store.insert([chore({ queue: 'few', limits: [{ key: 'a', running: 1 }] })])
  await store.insert([chore({ queue: 'few', limits: [{ key: 'a', running: 1 }] })])
  await store.changeBatch(batch.id, { to: 'open', batch })
  await store.fillBatch(batch.id, [chore({ queue: 'items', place: { batch: batch.id, index: 0 } })])
})

/** Each sentence that `verify` knows, and how to break it by hand. */
const BREAKINGS: readonly [law: string, sql: string][] = [
  ['accepted = ended + live + erased', `update tally set accepted = accepted + 1`],
  [
    'counters agree with what is stored',
    `update tally set ready = ready + 1, running = running - 1 where queue = 'default'`,
  ],
  ['every queue has its counters', `delete from tally where queue = 'later'`],
  ['a running job stands in exactly one receipt of its worker', `update receipt set handed = '[]'`],
  [
    'every job has its body',
    `delete from body where turn = (select turn from job where state = 1)`,
  ],
  ['every body has its job', `update body set turn = 999 where turn = 1`],
  ['every body has its policy', `update body set policy = 999 where turn = 1`],
  ['every ended job has a time to go', `delete from ended`],
  [
    'only live and completed jobs hold a unique value',
    `update body set unique_held = 1 where unique_value = 'one'`,
  ],
  ['a running job has a worker', `update job set worker = null where state = 2`],
  ['every receipt has its worker', `delete from worker`],
  ['a receipt counts the jobs that still run', `update receipt set open = open + 1`],
  ['an ended job has its time, and no other', `update job set ended_at = 1 where state = 1`],
  ['a waiting job says for what, and no other', `update body set waiting_for = null`],
  ['only a waiting job wakes', `update job set wakes_at = 1 where state = 1`],
  [
    'a job whose letter is there waits no more',
    `insert into mail (turn, name, key, at, value) select turn, name, '', 0, x'' from awaited`,
  ],
  ['what was left has its job: letter', `update mail set turn = 999`],
  ['what was left has its job: wait', `update awaited set turn = 999`],
  ['no run has a higher fence than its job', `update attempt set fence = fence + 99999999999999`],
  ['what was left has its job: run', `update attempt set turn = 999`],
  ['what was left has its job: log', `update log set turn = 999`],
  ['what was left has its job: file', `update artifact set turn = 999`],
  ['what was left has its job: tag', `update tag set turn = 999`],
  [
    'only a completed job has files',
    `update artifact set turn = (select turn from job where state = 5)`,
  ],
  [
    'a hook that may run has its subject',
    `update body set subject = 'nobody' where subject is not null`,
  ],
  [
    'a key counts the places it gave, and those that wait',
    `update limit_key set places = places + 1`,
  ],
  ['a key that nobody has is forgotten', `insert into limit_key (key) values ('none')`],
  ['a held job names its key', `update job set held = null where state = -1`],
  ['a batch counts its items', `update batch set completed = 1`],
  ['a closed batch has ended when its items have', `update batch set ended_at = 1`],
  ['every item has its batch', `delete from batch`],
]

test('a whole store has nothing against itself', async () => {
  await using here = new Installation()
  assert.deepEqual(here.ask('verify', '--store', `sqlite:${whole}`), { code: 0, said: [] })
})

for (const [law, sql] of BREAKINGS)
  test(`verify answers 1 and says so where it is broken that ${law}`, async () => {
    await using here = new Installation()
    const file = join(folder, 'broken.db')
    copyFileSync(whole, file)
    const db = new DatabaseSync(file)
    assert(Number(db.prepare(sql).run().changes) > 0, 'nothing was broken')
    db.close()
    const { code, said } = here.ask('verify', '--store', `sqlite:${file}`)
    assert.equal(code, 1)
    assert(Array.isArray(said))
    assert(
      said.some((finding: { law: string }) => finding.law === law),
      JSON.stringify(said),
    )
    rmSync(file)
  })

test('every sentence of verify is broken here', () => {
  const text = readFileSync(new URL('../../src/store/sqlite/verify.sql', import.meta.url), 'utf8')
  const laws = [...text.matchAll(/^(?:select|union all\nselect) '([a-z][^']+)'/gm)].map(
    ([, law = '']) => law,
  )
  assert(laws.length >= 17)
  for (const law of laws)
    assert(
      BREAKINGS.some(([one]) => one.startsWith(law)),
      law,
    )
})
