import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client, Pool } from 'pg'
import { newId } from '../../src/base/id.ts'
import { defineJob } from '../../src/job/define.ts'
import { type Code, hasCode } from '../../src/job/errors.ts'
import type { Errand } from '../../src/open.ts'
import { guarded } from '../support/schema.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { counted, once, plain, Stage } from '../support/transaction.ts'
import { eventually } from '../support/until.ts'

const server = await PostgresServer.start('max_connections=200')
after(() => server[Symbol.asyncDispose]())

const code = (expected: Code) => (error: unknown) => hasCode(error, expected)
const causeOf = (expected: string) => (error: unknown) =>
  error instanceof Error && String(Reflect.get(Object(error.cause), 'code')) === expected
const words = defineJob({
  name: 'words',
  input: guarded((value): value is unknown => typeof value === 'string'),
})
const LEVELS = ['read committed', 'repeatable read', 'serializable']
const accepted = async (errand: Errand) =>
  (await errand.queues()).reduce((sum, queue) => sum + queue.accepted, 0)

test('a job is there when the transaction commits, and not before', async () => {
  await using stage = await Stage.open(server.url)
  const { errand } = stage
  const tx = await stage.begin()
  const { id } = await errand.enqueue(plain, { to: 'Ada' }, { tx, tags: ['blue'], delay: '1h' })
  const many = await errand.enqueueMany(plain, [1, 2, 3], { tx, priority: 'high' })
  assert.deepEqual([await errand.store.find([id]), await errand.queues()], [[undefined], []])
  await tx.query('commit')

  const [job, ...others] = await errand.store.find([id, ...many.map((one) => one.id)])
  assert.deepEqual([job?.state, job?.tags, others.length], ['scheduled', ['blue'], 3])
  assert(others.every((one) => one?.state === 'ready' && one.priority === 2))
  assert.equal(await accepted(errand), 4)
  assert.deepEqual(await errand.verify(), [])
})

test('nothing is left when the transaction rolls back, and the next one finds all it needs', async () => {
  await using stage = await Stage.open(server.url)
  const { errand } = stage
  const tx = await stage.begin()
  const lost = await errand.enqueue(plain, 1, { tx, tags: ['blue'] })
  await errand.enqueue(once, 'value', { tx })
  await tx.query('rollback')
  assert.deepEqual([await errand.store.find([lost.id]), await errand.queues()], [[undefined], []])
  assert.equal(await errand.store.holder('', 'once', 'value'), undefined)
  assert.deepEqual(await errand.verify(), [])

  await tx.query('begin')
  await errand.enqueue(plain, 1, { tx })
  await tx.query('commit')
  assert.equal((await errand.enqueue(once, 'value')).joined, false)
  assert.equal(await accepted(errand), 2)
  assert.deepEqual(await errand.verify(), [])
})

test('what is undone to a savepoint is undone, and what stands before it stays', async () => {
  await using stage = await Stage.open(server.url)
  const tx = await stage.begin()
  const kept = await stage.errand.enqueue(plain, 1, { tx })
  await tx.query('savepoint here')
  const undone = await stage.errand.enqueue(plain, 2, { tx })
  await tx.query('rollback to here')
  await tx.query('commit')
  const [first, second] = await stage.errand.store.find([kept.id, undone.id])
  assert.deepEqual([first?.state, second], ['ready', undefined])
  assert.equal(await accepted(stage.errand), 1)
  assert.deepEqual(await stage.errand.verify(), [])
})

test('a waiting worker is woken by the commit, and by nothing before it', async () => {
  await using stage = await Stage.open(server.url)
  const [tx, ear] = [await stage.begin(), await stage.connect()]
  const heard: string[] = []
  ear.on('notification', ({ payload = '' }) => heard.push(payload))
  await ear.query(`listen ${stage.schema}_ready`)
  await stage.errand.enqueue(plain, 1, { tx })
  // Bells arrive in the order of commits: what this one follows has rung before it.
  await ear.query(`notify ${stage.schema}_ready, 'mark'`)
  await eventually(() => heard.length > 0)
  assert.deepEqual(heard, ['mark'])
  await tx.query('commit')
  await eventually(() => heard.length > 1)
  assert.deepEqual(heard, ['mark', ''])
})

test('a thousand records and their jobs: no job runs before its record can be seen', async () => {
  await using stage = await Stage.open(server.url)
  const looking = await stage.connect()
  await looking.query(`create table ${stage.schema}.record (id uuid primary key)`)
  const missing: string[] = []
  const seeing = defineJob({
    name: 'seeing',
    input: guarded((value): value is string => typeof value === 'string'),
    run: async (id) => {
      const text = `select from ${stage.schema}.record where id = $1`
      const { rowCount } = await looking.query(text, [id])
      if (rowCount !== 1) missing.push(id)
    },
  })
  await stage.errand.work({ jobs: [seeing] }, { concurrency: 20 })
  const create = async (tx: Client) => {
    for (let i = 0; i < 125; i++) {
      const id = newId()
      await tx.query('begin')
      await stage.errand.enqueue(seeing, id, { tx })
      await tx.query(`insert into ${stage.schema}.record values ($1)`, [id])
      await tx.query('commit')
    }
  }
  const clients = await Promise.all(Array.from({ length: 8 }, () => stage.connect()))
  await Promise.all(clients.map(create))
  await eventually(async () => (await stage.errand.queues())[0]?.completed === 1000)
  assert.deepEqual(missing, [])
  assert.deepEqual(await stage.errand.verify(), [])
})

test('a mark and its job are both there or neither, also when the connection dies before the commit', async () => {
  await using stage = await Stage.open(server.url)
  const [admin, tx] = [await stage.connect(), await stage.begin()]
  await admin.query(`create table ${stage.schema}.mark (started boolean)`)
  await admin.query(`insert into ${stage.schema}.mark values (false)`)
  const { rows: me } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
  await tx.query(`update ${stage.schema}.mark set started = true`)
  await stage.errand.enqueue(plain, 1, { tx })
  await admin.query('select pg_terminate_backend($1)', [me[0]?.pid])
  await assert.rejects(() => tx.query('commit'))
  await assert.rejects(() => stage.errand.enqueue(plain, 2, { tx }), code('STORE_UNREACHABLE'))
  const { rows } = await admin.query(`select started from ${stage.schema}.mark`)
  assert.deepEqual(rows, [{ started: false }])
  assert.deepEqual([await stage.errand.queues(), await stage.errand.verify()], [[], []])
})

for (const level of LEVELS)
  test(`under ${level} jobs are stored, joined and refused as anywhere`, async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    const before = await errand.enqueue(once, 'before')
    const tx = await stage.begin(level)
    await tx.query('select 1')
    const id = newId()
    const first = await errand.enqueue(once, 'value', { tx })
    assert.deepEqual(await errand.enqueue(once, 'value', { tx }), { id: first.id, joined: true })
    assert.deepEqual(await errand.enqueue(once, 'before', { tx }), { id: before.id, joined: true })
    assert.deepEqual(await errand.enqueue(plain, 1, { tx, id }), { id, joined: false })
    assert.deepEqual(await errand.enqueue(plain, 1, { tx, id }), { id, joined: true })
    await assert.rejects(() => errand.enqueue(plain, 2, { tx, id }), code('ID_TAKEN'))
    // A refusal of ours breaks nothing.
    await errand.enqueue(plain, 2, { tx })
    await tx.query('commit')
    assert.deepEqual(await errand.enqueue(plain, 1, { id }), { id, joined: true })
    assert.equal(await accepted(errand), 4)
    assert.deepEqual(await errand.verify(), [])
  })

test('serializable transactions that enqueue side by side do not undo each other', async () => {
  await using stage = await Stage.open(server.url)
  await stage.errand.enqueue(plain, 0)
  const clients = await Promise.all(Array.from({ length: 8 }, () => stage.begin('serializable')))
  for (const tx of clients) await stage.errand.enqueueMany(plain, [1, 2], { tx })
  for (const tx of clients) await stage.errand.enqueue(plain, 3, { tx })
  for (const tx of clients) await tx.query('commit')
  assert.equal(await accepted(stage.errand), 25)
})

test('a snapshot older than a job of the same id does not bring it in twice', async () => {
  await using stage = await Stage.open(server.url)
  const { errand } = stage
  const worker = await errand.work({
    jobs: [defineJob({ name: 'plain', input: plain.input, run: () => 1 })],
  })
  const id = newId()
  const tx = await stage.begin('repeatable read')
  await tx.query('select 1')
  await errand.enqueue(plain, 1, { id })
  await eventually(async () => (await errand.store.find([id]))[0]?.state === 'completed')
  const refused = await errand.enqueue(plain, 1, { tx, id }).catch((error: unknown) => error)
  assert(hasCode(refused, 'STORE_BUSY') && causeOf('40001')(refused))
  await tx.query('rollback')
  await worker.stop()
  assert.deepEqual(await errand.verify(), [])
})

test('what is refused at the door is not sent', async () => {
  await using stage = await Stage.open(server.url)
  const { errand } = stage
  const tx = counted(await stage.begin())
  await assert.rejects(() => errand.enqueue(plain, 1n, { tx }), code('UNSTORABLE_INPUT'))
  await assert.rejects(() => errand.enqueue(plain, 1, { tx, tags: [''] }), code('INVALID_OPTION'))
  await assert.rejects(() => errand.enqueueMany(words, ['a', 2], { tx }), code('INVALID_INPUT'))
  assert.deepEqual(tx.sent, [])
  // A pool would send each statement over another connection.
  await assert.rejects(() => errand.enqueue(plain, 1, { tx: new Pool() }), code('INVALID_OPTION'))
})

test('a failure within is told with its cause, and nothing is sent again', async () => {
  await using stage = await Stage.open(server.url)
  const client = await stage.begin()
  await client.query('select 1 / 0').catch(() => undefined)
  const tx = counted(client)
  const broken = await stage.errand.enqueue(plain, 1, { tx }).catch((error: unknown) => error)
  assert(hasCode(broken, 'STORE_FAILED') && causeOf('25P02')(broken), String(broken))
  assert.equal(tx.sent.length, 1)
  await client.query('rollback')
  await client.query('begin read only')
  const barred = await stage.errand
    .enqueue(plain, 1, { tx: client })
    .catch((error: unknown) => error)
  assert(hasCode(barred, 'STORE_FAILED') && causeOf('25006')(barred), String(barred))
})
