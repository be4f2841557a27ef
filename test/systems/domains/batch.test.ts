import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onEachStore } from '../stage.ts'
import { eventually as until } from '../../support/until.ts'
import {
  Accepted,
  appOver,
  openWeb,
  overAt,
  type SmallWeb,
  Status,
  statusOf,
  submit,
  databaseOf,
} from './setup.ts'
import { openRecords } from '../../../systems/domains/batch/open-records.ts'

let web: SmallWeb
before(async () => {
  web = await openWeb()
})
after(() => web[Symbol.asyncDispose]())

onEachStore((open, name) => {
  test('a batch is accepted with its id, where to look, how many jobs and when', async () => {
    await using system = await open(appOver(web))
    const answer = await system.post('/domains/batch', { domains: ['a.example', 'b.example'] })
    assert.equal(answer.status, 202)
    const accepted = Accepted.parse(await answer.json())
    assert.equal(answer.headers.get('location'), `/domains/batch/${accepted.batch_id}`)
    assert.equal(accepted.job_count, 2)
    const status = await statusOf(system, accepted.status_url)
    assert.deepEqual([status.status, status.total_domains, status.progress], ['pending', 2, 0])
    assert.equal(status.domains['a.example']?.status, 'pending')
  })

  test('all well is complete, some is partial with each error, none is failed', async () => {
    await using system = await open(appOver(web))
    await system.work()
    const well = await overAt(system, await submit(system, ['a.example', 'b.example']))
    assert.deepEqual([well.status, well.completed_domains, well.progress], ['complete', 2, 100])

    const mixed = [
      'a.example',
      'missing.example',
      'inside.example',
      'down.example',
      `flaky-${name}.example`,
    ]
    const some = await overAt(system, await submit(system, mixed))
    assert.deepEqual([some.status, some.completed_domains, some.failed_domains], ['partial', 2, 3])
    const ends = Object.fromEntries(
      Object.entries(some.domains).map(([name, { error, attempt }]) => [
        name,
        [error?.code, attempt],
      ]),
    )
    assert.deepEqual(ends, {
      'a.example': [undefined, 1],
      'missing.example': ['REFUSED', 1],
      'inside.example': ['ADDRESS_REFUSED', 1],
      'down.example': ['UNAVAILABLE', 3],
      [`flaky-${name}.example`]: [undefined, 2],
    })

    const none = await overAt(system, await submit(system, ['missing.example']))
    assert.deepEqual([none.status, none.failed_domains], ['failed', 1])
    assert.deepEqual(await system.errand.verify(), [])
  })

  test('no more of a batch are read at once than it says, but several', async () => {
    await using system = await open(appOver(web))
    await system.work()
    for (const [count, most] of [
      [4, 2],
      [10, 5],
    ] as const) {
      web.at.most = 0
      const domains = Array.from({ length: count }, (_, i) => `slow-${i}.example`)
      const over = await overAt(system, await submit(system, domains, { max_concurrent: most }))
      assert.equal(over.status, 'complete')
      assert(web.at.most <= most && web.at.most > 1, `${web.at.most} of ${most} at once`)
    }
  })

  test('a site that is busy is left alone for as long as it asks, though not for longer than we let it', async () => {
    await using system = await open(appOver(web, { retryAfterMaxMs: 600_000 }))
    await web.script([
      { path: '/busy.example/', status: 429, headers: { 'retry-after': '300' } },
      { path: '/shut.example/', status: 503, headers: { 'retry-after': '80000' } },
    ])
    await system.work()
    const path = await submit(system, ['busy.example', 'shut.example'])
    for (const [domain, least, most] of [
      ['busy.example', 240_000, 300_000],
      ['shut.example', 540_000, 600_000],
    ] as const) {
      const of = async () => (await statusOf(system, path)).domains[domain]
      await until(async () => (await of())?.status === 'retrying')
      const { next_attempt_at: next = '', error } = (await of()) ?? {}
      const waitMs = Date.parse(next) - Date.now()
      assert(waitMs > least && waitMs <= most, `${domain} is asked again in ${waitMs} ms`)
      assert.equal(error?.code, 'UNAVAILABLE')
    }
    await web.script([])
  })

  test('what failed is tried again by hand, and what is complete is not read twice', async () => {
    await using system = await open(appOver(web))
    await system.work()
    await web.script([
      { path: '/later-1.example/', status: 404 },
      { path: '/later-2.example/', status: 404 },
    ])
    const path = await submit(system, ['kept.example', 'later-1.example', 'later-2.example'])
    assert.equal((await overAt(system, path)).status, 'partial')
    await web.script([{ path: '/later-2.example/', status: 404 }])
    await system.post(`${path}/retry`, {})
    const again = await overAt(system, path)
    assert.deepEqual([again.status, again.failed_domains], ['partial', 1])
    await web.script([])
    await system.post(`${path}/domains/later-2.example/retry`, {})
    assert.equal((await overAt(system, path)).status, 'complete')
    assert.equal(web.readsOf('kept.example'), 1)
    web.pages.length = 0
  })

  test('a cancelled batch begins no more domains and stops the one being read; retried, it goes on', async () => {
    await using system = await open(appOver(web))
    await system.work()
    await web.script([{ path: '/held.example/', delayMs: 3000 }])
    const path = await submit(system, ['held.example', 'never.example'], { max_concurrent: 1 })
    await until(
      async () => (await statusOf(system, path)).domains['held.example']?.status === 'running',
    )
    assert.equal((await system.post(`${path}/cancel`, {})).status, 202)
    const over = await overAt(system, path)
    assert.deepEqual([over.status, over.cancelled_domains], ['cancelled', 2])
    assert.equal(web.readsOf('never.example'), 0)
    await web.script([])
    // One of them by itself, spelt as people spell it; then the rest.
    const one = await system.post(`${path}/domains/NEVER.example/retry`, {})
    assert.equal(one.status, 202)
    assert.deepEqual((await overAt(system, path)).completed_domains, 1)
    await using records = await openRecords(databaseOf(system.folder, system.url), system.url)
    assert.deepEqual(await records.cancelled(0), [], 'it is not stopped once more')
    await system.post(`${path}/retry`, {})
    assert.equal((await overAt(system, path)).status, 'complete')
  })

  test('cancelled before its domains came in, nothing of a batch is read', async () => {
    await using system = await open(appOver(web))
    const path = await submit(system, ['early.example'])
    await system.post(`${path}/cancel`, {})
    await system.work()
    const over = await overAt(system, path)
    assert.deepEqual([over.status, over.cancelled_domains, over.is_over], ['cancelled', 1, true])
    assert.equal(web.readsOf('early.example'), 0)
    await system.post(`${path}/retry`, {})
    assert.equal((await overAt(system, path)).status, 'complete')
  })

  test('a status that is known already is answered in a few bytes', async () => {
    await using system = await open(appOver(web))
    const path = await submit(system, ['known.example'])
    const { headers } = await system.ask(path)
    const known = { headers: { 'if-none-match': headers.get('etag') ?? '' } }
    assert.equal((await system.ask(path, known)).status, 304)
    await system.work()
    await overAt(system, path)
    assert.equal((await system.ask(path, known)).status, 200)
  })

  test('a tenant’s batches are nobody else’s, under the same id too', async () => {
    await using system = await open(appOver(web))
    await system.work()
    const acme = { headers: { 'x-tenant': 'acme', 'x-user': 'ada' } }
    const mine = { domains: ['a.example'], batch_id: 'monday' }
    assert.equal((await system.post('/domains/batch', mine, acme.headers)).status, 202)
    for (const path of ['/domains/batch/monday', '/domains/batch/monday/events'])
      assert.equal((await system.ask(path, { headers: { 'x-tenant': 'other' } })).status, 404)
    for (const act of ['cancel', 'retry'])
      assert.equal((await system.post(`/domains/batch/monday/${act}`, {})).status, 404)
    const theirs = { domains: ['b.example'], batch_id: 'monday' }
    const answer = await system.post('/domains/batch', theirs, { 'x-tenant': 'other' })
    assert.equal(answer.status, 202)
    const list = await system.json('/domains/batch', acme)
    assert.deepEqual(JSON.stringify(list).match(/"batch_id"/g)?.length, 1)
    const seen = Status.parse(await system.json('/domains/batch/monday', acme))
    assert.deepEqual(Object.keys(seen.domains), ['a.example'])
  })

  test('the same request again is the same batch, another one under its id is refused', async () => {
    await using system = await open(appOver(web))
    const request = { domains: ['a.example'], batch_id: 'tuesday' }
    const [first, again] = await Promise.all(
      [1, 2].map(async () => (await system.post('/domains/batch', request)).json()),
    )
    assert.deepEqual(first, again)
    const other = await system.post('/domains/batch', { ...request, domains: ['b.example'] })
    assert.equal(other.status, 409)
    const keyed = (key: string) =>
      system.post('/domains/batch', { domains: ['a.example'] }, { 'idempotency-key': key })
    // Not every key could be an id.
    for (const key of ['wednesday', `order/2026=1${'x'.repeat(200)}`]) {
      const [once, twice] = await Promise.all([keyed(key), keyed(key)])
      assert.deepEqual(Accepted.parse(await once.json()), Accepted.parse(await twice.json()))
    }
    assert.equal((await keyed('a key')).status, 400)
    assert.equal((await system.errand.list({ job: 'domains.batch' }, 10)).jobs.length, 3)
  })
})
