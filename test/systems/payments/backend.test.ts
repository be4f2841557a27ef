// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { rehearse } from 'errand/testing'
import { Hono } from 'hono'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { noSooner } from '../../../systems/common/retry-after.ts'
import { paymentsApp } from '../../../systems/payments/app.ts'
import { Backend } from '../../../systems/payments/backend.ts'
import { create, MassPaymentRequest } from '../../../systems/payments/contract.ts'
import { request } from './setup.ts'

const ROW = { beneficiary: 'Ada', iban: 'DE02120300000000202051', amount: '1.00', currency: 'EUR' }
const [MINE, OTHER] = [randomUUID(), randomUUID()]
const counts = { received: 1, processed: 1, errored: 0, created: 0 }
const held = (mp_uuid: string, id = 'bos-1') => ({
  id,
  mp_uuid,
  external_reference: 'June',
  status: 'processed',
  counts,
  created_at: '2026-11-01T00:00:00Z',
})

test('a mass payment of another MP-UUID is neither the one that was looked for nor its absence', async () => {
  const heedless = new Hono()
    .get('/mass-payments', (c) => c.json({ data: [held(OTHER)], total: 1 }))
    .post('/mass-payments', (c) => c.json(held(OTHER)))
    .post('/mass-payments/:id/confirm', (c) => c.json(held(MINE, 'bos-2')))
  await using site = await openStandIn(heedless, 0)
  const backend = new Backend(site.url, 5000)
  const which = { client: '', id: MINE }
  const asked = MassPaymentRequest.parse({ payments: [ROW] })
  for (const call of [
    () => backend.find(which),
    () => backend.create(which, asked),
    () => backend.confirm('bos-1'),
  ])
    await assert.rejects(call, /answered oddly/)
  assert.equal((await backend.find({ client: '', id: OTHER.toUpperCase() }))?.id, 'bos-1')
})

test('a backend that asks to be left alone says for how long', async () => {
  const busy = new Hono().all('*', (c) =>
    c.json({ error: { message: 'slowly' } }, 429, { 'retry-after': '6' }),
  )
  await using site = await openStandIn(busy, 0)
  await assert.rejects(() => new Backend(site.url, 5000).confirm('bos-1'), {
    waitMs: 6000,
    isRefusal: true,
  })
})

test('a backend is left alone for as long as it asks, and never for less than usual', async () => {
  const busy = new Hono().all('*', (c) =>
    c.json({ data: [], total: 0 }, 429, { 'retry-after': '6' }),
  )
  await using site = await openStandIn(busy, 0)
  await using errand = await rehearse(paymentsApp(site.url))
  const { id } = await errand.enqueue(create, request(1))
  await errand.drain()
  const { runAt, state } = await errand.job(id)
  assert.deepEqual([state, Date.parse(runAt) - errand.clock.now()], ['scheduled', 6000])

  const error = new Error('busy')
  assert.equal(noSooner(error, 1000, 2000), error)
  assert.equal(noSooner(error, undefined, 0), error)
})

test('what is asked for under two names is asked for alike', () => {
  const asked = (over: object) =>
    MassPaymentRequest.safeParse({ ...request(1), ...over }).error?.issues[0]?.path[0]
  assert.equal(asked({ auto_commit: true, accept_immediately: false }), 'accept_immediately')
  assert.equal(asked({ on_row_errors: 'reject', accept_partial: true }), 'accept_partial')
  assert.equal(asked({ on_row_errors: 'continue', accept_partial: false }), 'accept_partial')
  const both = { auto_commit: true, accept_immediately: true }
  assert.equal(asked({ ...both, on_row_errors: 'continue', accept_partial: true }), undefined)
})
