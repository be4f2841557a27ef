import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { ErrandError, hasCode } from 'errand'
import { Batches } from '../../../systems/domains/batch/api-service.ts'
import { openRecords } from '../../../systems/domains/batch/open-records.ts'
import { idOf } from '../../../systems/domains/batch/records.ts'
import { eventually as until } from '../../support/until.ts'
import { onEachStore, type System } from '../stage.ts'
import { appOver, databaseOf, openWeb, overAt, type SmallWeb, statusOf, submit } from './setup.ts'

let web: SmallWeb
before(async () => {
  web = await openWeb()
})
after(() => web[Symbol.asyncDispose]())

const recordsOf = ({ folder, url }: System) => openRecords(databaseOf(folder, url), url)

const lost = (batchId: string) => ({
  tenant: '',
  batchId,
  id: idOf({ tenant: '', batchId }),
  userId: 'ada',
  domains: ['lost.example'],
  maxPages: 1,
  maxConcurrent: 5,
  createdAt: Date.now(),
})

onEachStore((open, name) => {
  test('a record is never left without its job: not at all where both are one transaction, else for a moment', async () => {
    await using system = await open(appOver(web, { adoptMs: 1000 }))
    await using records = await recordsOf(system)
    const dying = () => Promise.reject(new Error('died between record and job'))
    await assert.rejects(records.add(lost('lost'), dying), /died between/)
    const path = '/domains/batch/lost'
    if (name === 'postgres') return assert.equal((await system.ask(path)).status, 404)
    assert.equal((await statusOf(system, path)).status, 'pending')
    web.pages.length = 0
    await system.work()
    assert.equal((await overAt(system, path)).status, 'complete')
    await until(async () => (await records.waiting(Date.now() + 1000)).length === 0)
    assert.equal(web.readsOf('lost.example'), 1)
  })

  test('a batch whose record lies there is accepted, though the store of its job is out', async () => {
    await using system = await open(appOver(web, { adoptMs: 1000 }))
    await using records = await recordsOf(system)
    const out = new ErrandError('STORE_UNREACHABLE', { why: 'no answer' })
    const enqueue = () => Promise.reject(out)
    const door = new Proxy(system.errand, {
      get: (errand, name) => (name === 'enqueue' ? enqueue : Reflect.get(errand, name)),
    })
    const batches = new Batches(door, records, { liveMs: 500 })
    const request = { batch_id: 'out', domains: ['out.example'], max_pages: 1, max_concurrent: 5 }
    const submitted = batches.submit({ tenant: '', user: 'ada' }, request)
    // In one transaction with its job it is there with it, or not at all.
    if (name === 'postgres') return assert.rejects(submitted, out)
    assert.equal((await submitted).batchId, 'out')
    await system.work()
    assert.equal((await overAt(system, '/domains/batch/out')).status, 'complete')
  })

  test('a domain that nobody has begun is there, and has nothing to try again', async () => {
    await using system = await open(appOver(web, { adoptMs: 60_000 }))
    await submit(system, ['early.example'], { batch_id: 'early' })
    const path = '/domains/batch/early/domains/early.example'
    const view = await system.json(path)
    assert.partialDeepStrictEqual(view, { domain: 'early.example', status: 'pending', facts: null })
    assert.equal((await system.ask(`${path}/retry`, { method: 'POST' })).status, 409)
    assert.equal((await system.ask('/domains/batch/early/domains/other.example')).status, 404)
  })

  test('of two that bring the same id at once, one is refused and nothing of it is done', async () => {
    await using system = await open(appOver(web, { adoptMs: 60_000 }))
    await using records = await recordsOf(system)
    const other = { ...lost('raced'), domains: ['first.example'] }
    // Between the look of the slower one and what it stores, the other is through.
    const find = async () => void (await records.add(other, async () => undefined).catch(() => 0))
    const late = new Proxy(records, {
      get: (target, name) => {
        if (name === 'find') return find
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const batches = new Batches(system.errand, late, { liveMs: 500 })
    const request = {
      batch_id: 'raced',
      domains: ['second.example'],
      max_pages: 1,
      max_concurrent: 5,
    }
    await assert.rejects(batches.submit({ tenant: '', user: 'bob' }, request), { code: 'ID_TAKEN' })
    await assert.rejects(system.errand.job(other.id), { code: 'JOB_NOT_FOUND' })
    assert.deepEqual((await records.find(other))?.domains, ['first.example'])
  })

  test('taken apart twice, a batch has each domain once', async () => {
    await using system = await open(appOver(web))
    const path = await submit(system, ['twice-1.example', 'twice-2.example'], { batch_id: 'twice' })
    const id = idOf({ tenant: '', batchId: 'twice' })
    await system.work()
    assert.equal((await overAt(system, path)).status, 'complete')
    // The job that brings them in is run once more, as after a crash before its end was recorded.
    await using records = await recordsOf(system)
    const record = await records.find({ tenant: '', batchId: 'twice' })
    assert.notEqual(record?.handedAt, undefined)
    const { handOver } = await import('../../../systems/domains/batch/worker-service.ts')
    const input = {
      batch_id: 'twice',
      tenant_id: '',
      user_id: 'visitor',
      domains: ['twice-1.example', 'twice-2.example'],
      max_pages: 1,
      max_concurrent: 5,
    }
    await handOver(input, id, {
      errand: system.errand,
      records,
      settings: { keepMs: 2_592_000_000 },
    })
    assert.equal((await overAt(system, path)).completed_domains, 2)
    assert.deepEqual([web.readsOf('twice-1.example'), web.readsOf('twice-2.example')], [1, 1])
    web.pages.length = 0
  })

  test('cancelled while its domains come in, a batch has them all the same, and goes on when it is retried', async () => {
    await using system = await open(appOver(web))
    await using records = await recordsOf(system)
    const path = await submit(system, ['slow-soon.example'], { batch_id: 'soon' })
    await records.cancel(idOf({ tenant: '', batchId: 'soon' }), Date.now())
    // Nobody has stopped its job yet.
    assert.equal((await statusOf(system, path)).is_over, false)
    assert.equal((await system.post(`${path}/retry`, {})).status, 409)
    await system.work({ sweepMs: 100 })
    assert.equal((await overAt(system, path)).status, 'cancelled')
    await system.post(`${path}/retry`, {})
    assert.equal((await overAt(system, path)).status, 'complete')
  })

  test('a cancel whose process died before it stopped anything is carried out', async () => {
    await using system = await open(appOver(web, { adoptMs: 1000 }))
    await using records = await recordsOf(system)
    const id = idOf({ tenant: '', batchId: 'dying' })
    const domains = Array.from({ length: 12 }, (_, i) => `slow-${i}.example`)
    const path = await submit(system, domains, { batch_id: 'dying', max_concurrent: 1 })
    await system.work()
    await until(async () => (await statusOf(system, path)).status === 'running')
    await records.cancel(id, Date.now())
    const over = await overAt(system, path)
    assert.equal(over.status, 'cancelled')
    assert.ok(over.cancelled_domains > 0)
  })

  test('a batch is followed as it changes, domain by domain, to its end', async () => {
    await using system = await open(appOver(web))
    const path = await submit(system, ['live-1.example', 'missing.example'])
    const answer = await system.ask(`${path}/events`)
    assert.match(answer.headers.get('content-type') ?? '', /event-stream/)
    const reading = answer.text()
    await system.work()
    const text = await reading
    const states = [...text.matchAll(/event: domain\ndata: (.*)/g)].map(([, json = '']) => {
      const { domain, status }: { domain: string; status: string } = JSON.parse(json)
      return `${domain} ${status}`
    })
    for (const state of [
      'live-1.example pending',
      'live-1.example complete',
      'missing.example failed',
    ])
      assert.ok(states.includes(state), state)
    assert.match(text, /event: end\n/)
  })
})

test('while the database of records is away, that is said as of any store', async () => {
  await using records = await openRecords('postgres://127.0.0.1:1/none', '')
  const asked = records.find({ tenant: '', batchId: 'x' })
  await assert.rejects(asked, (error) => hasCode(error, 'STORE_UNREACHABLE'))
})

test('a database that accepts and says nothing is an outage, not a wait for ever', async () => {
  const mute = createServer((socket) => socket.on('error', () => undefined))
  mute.listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const address = mute.address()
  assert(address !== null && typeof address === 'object')
  const url = `postgres://errand@127.0.0.1:${address.port}/errand`
  await using records = await openRecords(url, url)
  await assert.rejects(records.find({ tenant: '', batchId: 'x' }), (error) =>
    hasCode(error, 'STORE_UNREACHABLE'),
  )
  mute.close()
})
