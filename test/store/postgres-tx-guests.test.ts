import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { hasCode } from '../../src/job/errors.ts'
import { open } from '../../src/open.ts'
import { only } from '../support/hand.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { once, plain, Stage } from '../support/transaction.ts'

const server = await PostgresServer.start()
after(() => server[Symbol.asyncDispose]())

const failure = async (call: Promise<unknown>) =>
  call.then(
    () => assert.fail('it was accepted'),
    (error: unknown) => error,
  )

test('a role without rights is told which page has them, and with those grants it may', async () => {
  await using stage = await Stage.open(server.url)
  const admin = await stage.connect()
  await admin.query('create role guest login')
  const guest = await stage.connect('guest')
  for (const grants of [[], [`grant usage on schema ${stage.schema} to guest`]]) {
    for (const grant of grants) await admin.query(grant)
    await guest.query('begin')
    const error = await failure(stage.errand.enqueue(plain, 1, { tx: guest }))
    assert(hasCode(error, 'STORE_FAILED') && /rights/.test(error.message), String(error))
    await guest.query('rollback')
  }
  for (const grant of [
    `grant select, insert, update, delete on all tables in schema ${stage.schema} to guest`,
    `grant usage on all sequences in schema ${stage.schema} to guest`,
  ])
    await admin.query(grant)
  for (const level of ['read committed', 'serializable']) {
    await guest.query(`begin isolation level ${level}`)
    await stage.errand.enqueue(plain, 1, { tx: guest, tags: ['blue'] })
    await stage.errand.enqueue(once, level, { tx: guest, id: crypto.randomUUID() })
    await guest.query('commit')
  }
  assert.equal(only(await stage.errand.queues()).accepted, 4)
  assert.deepEqual(await stage.errand.verify(), [])
})

test('a transaction of another database is refused, be there a schema of ours or none', async () => {
  await using stage = await Stage.open(server.url)
  const admin = await stage.connect()
  await admin.query('create database other')
  const there = new Client({ connectionString: server.url.replace('/postgres', '/other') })
  try {
    const tx = await there.connect()
    await tx.query('begin')
    const none = await failure(stage.errand.enqueue(plain, 1, { tx }))
    assert(hasCode(none, 'STORE_FAILED') && /without our schema/.test(none.message), String(none))
    await tx.query('rollback')

    const twin = `${server.url.replace('/postgres', '/other')}?schema=${stage.schema}`
    await using other = await open(twin)
    await tx.query('begin')
    const error = await failure(stage.errand.enqueue(plain, 1, { tx }))
    assert(hasCode(error, 'STORE_CHANGED'), String(error))
    await tx.query('commit')
    assert.deepEqual(await other.queues(), [])
  } finally {
    await there.end()
  }
})

test('a session of odd settings gives the same answers, and keeps its settings', async () => {
  await using stage = await Stage.open(server.url)
  const tx = await stage.connect()
  await tx.query(`create schema odd`)
  await tx.query(`create table odd.job (); create function odd.now() returns int return 1`)
  const settings = {
    search_path: 'odd, public',
    bytea_output: 'escape',
    lock_timeout: '7s',
    enable_indexscan: 'off',
    standard_conforming_strings: 'off',
  }
  for (const [name, value] of Object.entries(settings))
    await tx.query(`select set_config('${name}', '${value}', false)`)
  await tx.query('begin')
  const input = { text: 'back\\slash "quoted" é \u0001' }
  const { id } = await stage.errand.enqueue(plain, input, { tx })
  await stage.errand.enqueue(once, 'value', { tx })
  await tx.query('commit')
  for (const [name, value] of Object.entries(settings)) {
    const { rows } = await tx.query<Record<string, string>>(`show ${name}`)
    assert.equal(rows[0]?.[name], value)
  }
  const [job] = await stage.errand.store.find([id])
  assert.deepEqual(JSON.parse(Buffer.from(job?.input ?? []).toString()), input)
  assert.deepEqual(await stage.errand.verify(), [])
})

test('a kind that the server lost is stored again, and one that came since the snapshot serves', async () => {
  await using stage = await Stage.open(server.url)
  await stage.errand.enqueue(plain, 1)
  const tx = await stage.begin('repeatable read')
  await tx.query('select 1')
  await tx.query(`delete from ${stage.schema}.kind`)
  await tx.query('commit')
  await tx.query('begin isolation level repeatable read')
  await tx.query('select 1')
  await stage.errand.enqueueMany(plain, [1, 2], { tx })
  await stage.errand.enqueue(once, 'value', { tx })
  await tx.query('commit')
  assert.deepEqual(await stage.errand.verify(), [])
})

test('what answers in another form than rows is told so', async () => {
  await using stage = await Stage.open(server.url)
  const tx = await stage.begin()
  for (const rows of [[['a', 'b']], [undefined], []]) {
    const query = async () => ({ rows })
    const error = await failure(stage.errand.enqueue(plain, 1, { tx: { query } }))
    assert(hasCode(error, 'STORE_FAILED'), String(error))
  }
  await tx.query('commit')
  assert.deepEqual(await stage.errand.queues(), [])
})
