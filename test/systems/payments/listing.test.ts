// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { rehearse } from 'errand/testing'
import { Hono } from 'hono'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { paymentsApp } from '../../../systems/payments/app.ts'
import { Backend } from '../../../systems/payments/backend.ts'
import { Listing } from '../../../systems/payments/listing.ts'
import { Sight } from '../../../systems/payments/sight.ts'
import { onEachStore } from '../stage.ts'
import { request, stand } from './setup.ts'

const CREATE = { method: 'POST', path: '/mass-payments' }
const refusal = { ...CREATE, status: 400, body: { error: { message: 'no' } } }

onEachStore((open) => {
  test('the list pages what the backend has, finds by reference, and shows what is still to come', async () => {
    await using at = await stand(open)
    const first = await at.submitted(request(1, 0, { external_reference: 'a' }))
    await at.becomes(first, 'processed')
    const second = await at.submitted(request(1, 0, { external_reference: 'b' }))
    await at.becomes(second, 'processed')
    await at.bank.script({ method: 'POST', status: 400, body: { error: { message: 'no' } } })
    const third = await at.submitted(request(1, 0, { external_reference: 'c' }))
    await at.becomes(third, 'failed')
    const list = async (query: string) => {
      const { ids, total } = await at.list(query)
      return [ids, total]
    }
    assert.deepEqual(await list(''), [[third, second, first], 3])
    assert.deepEqual(await list('?page=2&page_size=1'), [[second], 3])
    assert.deepEqual(await list('?external_reference=a'), [[first], 1])
    assert.deepEqual(await list(`?id=${second}`), [[second], 1])
    assert.deepEqual(await list(`?id=${randomUUID()}`), [[], 0])
  })

  test('whatever waits for a worker is in the list, page by page, before what the backend has', async () => {
    await using at = await stand(open)
    const old = await at.submitted(request(1))
    await at.becomes(old, 'processed')
    await at.rest()
    const ids: string[] = [old]
    for (let sent = 0; sent < 5; sent++)
      ids.unshift(await at.submitted(request(1, 0, { external_reference: `batch ${sent}` })))
    const pages = await Promise.all(
      [1, 2, 3, 4].map((page) => at.list(`?page_size=2&page=${page}`)),
    )
    assert.deepEqual(
      pages.flatMap((page) => page.ids),
      ids,
    )
    assert.deepEqual(new Set(pages.map(({ total }) => total)), new Set([6]))
    const named = await at.list('?external_reference=batch+3')
    assert.deepEqual([named.ids, named.total], [[ids[1]], 1])
  })

  test('however many the backend refused, all are listed, and it is not asked for them', async () => {
    await using at = await stand(open)
    await at.bank.script(refusal)
    const ids = await Promise.all(Array.from({ length: 60 }, () => at.submitted(request(1))))
    await Promise.all(ids.map((id) => at.becomes(id, 'failed')))
    await at.rest()
    const calls = async () => (await at.bank.calls('GET')).length
    const listed = async () => {
      const before = await calls()
      const { ids: seen, total } = await at.list('?page_size=100')
      assert.deepEqual([new Set(seen), total], [new Set(ids), 60])
      return (await calls()) - before
    }
    assert.equal(await listed(), 1)
  })

  test('however many may be there or not, the backend is asked for some of them at a time, and all are listed', async () => {
    await using at = await stand(open, { idle: true })
    const ids = await Promise.all(Array.from({ length: 60 }, () => at.submitted(request(1))))
    await Promise.all(ids.map((id) => at.system.errand.cancel(id)))
    for (const id of ids.slice(0, 5)) await at.bank.add(id)
    const { ids: seen } = await at.list('?page_size=100')
    assert.equal((await at.bank.calls('GET')).length, 51)
    assert.deepEqual([new Set(seen), seen.length], [new Set(ids), 60])
    assert.equal((await at.list('?page_size=100')).total, 60)
  })

  test('what failed stands among the others by its age, on whatever page', async () => {
    await using at = await stand(open)
    const ids: string[] = []
    const handIn = async (status: string, more?: object) => {
      const id = await at.submitted(request(2, 1, { ...more }))
      await at.becomes(id, status)
      ids.unshift(id)
    }
    for (let round = 0; round < 3; round++) {
      await at.bank.script({ ...refusal, times: 2 })
      await handIn('failed')
      await handIn('failed')
      await handIn('processed')
      await handIn('cancelled', { on_row_errors: 'reject' })
    }
    for (const size of [1, 2, 3, 5, 100]) {
      const seen: string[] = []
      for (let page = 1; seen.length < ids.length; page++) {
        const { ids: some, total } = await at.list(`?page_size=${size}&page=${page}`)
        assert.equal(total, ids.length)
        assert.equal(some.length, Math.min(size, ids.length - seen.length))
        seen.push(...some)
      }
      assert.deepEqual(seen, ids, `${size} a page`)
    }
  })

  test('two mass payments of one id spoil no list: they are in doubt, and confirmed by nobody', async () => {
    await using at = await stand(open, { idle: true })
    const id = await at.submitted(request(1))
    for (let twin = 0; twin < 2; twin++) await at.bank.add(id)
    const worker = await at.system.work()
    const good = await at.submitted(request(1))
    await at.becomes(good, 'processed')
    assert.match((await at.becomes(id, 'failed')).error?.message ?? '', /two mass payments/)
    const { ids, total } = await at.list('')
    assert.deepEqual([ids.toSorted(), total], [[id, id, good].toSorted(), 3])

    await at.bank.add(good)
    const { status, error, acts } = await at.view(good)
    assert.deepEqual([status, acts], ['unknown', []])
    assert.match(error?.message ?? '', /two mass payments/)
    assert.equal((await at.confirm(good)).status, 409)
    await worker.stop()
  })
})

test('what is not understood about one mass payment is told of that one, and the others are listed', async () => {
  const [fine, odd] = [randomUUID(), randomUUID()]
  const counts = { received: 1, processed: 1, errored: 0, created: 0 }
  const one = { id: 'bos-1', mp_uuid: fine, external_reference: '', status: 'created', counts }
  const data = [
    { ...one, created_at: '2026-11-03T00:00:00Z' },
    { ...one, mp_uuid: odd, status: 'archived', created_at: '2026-11-02T00:00:00Z' },
    { ...one, id: 'bos-3', mp_uuid: null, created_at: '2026-11-01T00:00:00Z' },
  ]
  const bank = new Hono().get('/mass-payments', (c) => {
    const mine = data.filter(({ mp_uuid }) => mp_uuid === (c.req.query('mp_uuid') ?? mp_uuid))
    return c.json({ data: mine, total: mine.length })
  })
  await using site = await openStandIn(bank, 0)
  await using errand = await rehearse(paymentsApp(site.url))
  const backend = new Backend(site.url, 1000)
  const sight = new Sight(errand, backend)
  const seen = await new Listing(errand, backend, sight).page({
    client: '',
    page: 1,
    page_size: 20,
  })
  assert.deepEqual(
    seen.data.map(({ id, status }) => [id, status]),
    [
      [fine, 'created'],
      [odd, 'unknown'],
      ['bos-3', 'unknown'],
    ],
  )
  assert.match(seen.data[1]?.error?.message ?? '', /says of its status is not understood/)
  assert.equal((await sight.known(odd, '')).payment?.status, 'unknown')
  await assert.rejects(backend.find({ client: '', id: odd }), /answered oddly/)
})
