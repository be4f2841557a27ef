// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, rehearse } from 'errand/testing'
import { paymentsApp } from '../../../systems/payments/app.ts'
import { Backend } from '../../../systems/payments/backend.ts'
import { cancel, confirm, create } from '../../../systems/payments/contract.ts'
import { askOnce } from '../../../systems/payments/once.ts'
import { Decisions } from '../../../systems/payments/decisions.ts'
import { Payments } from '../../../systems/payments/payments.ts'
import { readSettings } from '../../../systems/payments/settings.ts'
import { Sight } from '../../../systems/payments/sight.ts'
import { type Bank, openBank, request } from './setup.ts'

for (const fault of FAULTS)
  for (const job of [create, confirm])
    test(`whatever goes wrong, one is created and confirmed: ${fault} of ${job.name}`, async () => {
      await using bank = await openBank()
      await using errand = await rehearse(paymentsApp(bank.url), {
        faults: [1, 2].map((run) => ({ job, fault, run })),
        patience: '5s',
      })
      const { id } = await errand.enqueue(create, request(3, 0, { auto_commit: true }))
      await errand.advance('50m')
      assert.deepEqual(
        (await bank.held(id)).map(({ status }) => status),
        ['created'],
      )
      assert.deepEqual(
        errand.faultsLeft.filter(({ run }) => run === 1),
        [],
      )
      assert.deepEqual(await errand.verify(), [])
    })

test('an hour after its end nothing is kept, and the backend is asked alone', async () => {
  await using bank = await openBank()
  await using errand = await rehearse(paymentsApp(bank.url))
  const { payments, decisions } = desks(errand, bank)
  const { id } = await errand.enqueue(create, request(3, 1))
  await errand.drain()
  await errand.advance('59m')
  assert.equal((await errand.job(id)).state, 'completed')
  await errand.advance('2m')
  assert.deepEqual(await errand.list({}, 10), { jobs: [] })
  const { status, label } = await payments.view(id, '')
  assert.deepEqual([status, label], ['processed', 'processed with errors'])
  await decisions.confirm(id, '')
  await errand.drain()
  assert.equal((await payments.view(id, '')).status, 'created')
  await errand.advance('2h')
  await assert.rejects(decisions.confirm(id, ''), /created/)
  const unknown = '00000000-0000-4000-8000-000000000000'
  await assert.rejects(payments.view(unknown, ''), /no mass payment has the id/)
})

test('however many wait for their confirmation, none runs, and all are cancelled when their time is over', async () => {
  await using bank = await openBank()
  await using errand = await rehearse(paymentsApp(bank.url))
  for (let i = 0; i < 20; i++)
    await errand.enqueue(create, request(1, 0, { confirm_within: 86_400 }))
  await errand.drain()
  const waiting = (await errand.list({}, 100)).jobs.filter(({ job }) => job === cancel.name)
  assert.deepEqual(new Set(waiting.map(({ state }) => state)), new Set(['scheduled']))
  assert.equal(waiting.length, 20)
  await errand.advance('1d')
  assert.ok((await bank.held()).every(({ status }) => status === 'cancelled'))
})

test('who cancels what somebody confirms meanwhile is told so, and it is created', async () => {
  await using bank = await openBank()
  await using errand = await rehearse(paymentsApp(bank.url))
  const { id, sight } = await processed(errand, bank)
  // Between the look of the one and what it stores, the other is through.
  class Slow extends Sight {
    override async known(...which: Parameters<Sight['known']>) {
      const seen = await super.known(...which)
      await new Decisions(errand, sight).confirm(id, '')
      return seen
    }
  }
  const slower = new Decisions(errand, new Slow(errand, new Backend(bank.url, 1000)))
  await assert.rejects(slower.cancel(id, ''), /being confirmed/)
  await errand.drain()
  assert.deepEqual(
    (await bank.held(id)).map(({ status }) => status),
    ['created'],
  )
  assert.equal((await errand.list({ job: cancel.name }, 5)).jobs[0]?.state, 'cancelled')
})

test('a cancel that came too late is seen to have been refused', async () => {
  await using bank = await openBank()
  await using errand = await rehearse(paymentsApp(bank.url))
  const { id, payments, decisions } = await processed(errand, bank)
  await decisions.cancel(id, '')
  const [held] = await bank.held(id)
  await bank.ask(`/mass-payments/${held?.id}/confirm`, 'POST')
  await errand.advance('1s')
  const { status, cancellation } = await payments.view(id, '')
  assert.deepEqual([status, cancellation?.refused], ['created', true])
})

test('the same id for another mass payment, after its record is gone, pays nothing', async () => {
  await using bank = await openBank()
  await using errand = await rehearse(paymentsApp(bank.url))
  const { id } = await errand.enqueue(create, request(3))
  await errand.drain()
  await errand.advance('2h')
  await errand.enqueue(create, request(4, 0, { auto_commit: true }), { id })
  const [ended] = await errand.drain()
  assert.deepEqual([ended?.state, ended?.error?.name], ['failed', 'FatalError'])
  assert.equal((await bank.held(id)).length, 1)
})

test('who stood still between writing down and asking does not ask', async () => {
  const asked: string[] = []
  const late = { by: '', at: Date.now() - 6000 }
  const step: Parameters<typeof askOnce>[1]['step'] = async (_, fn) => {
    const value = await fn('key')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same, but for its time
    return Object.assign(value ?? {}, { at: late.at }) as typeof value
  }
  const ask = () => Promise.resolve(asked.push('asked'))
  const look = () => Promise.resolve(undefined)
  const call = askOnce(
    'pay',
    { step, sleep: async () => {} },
    {
      look,
      ask,
      isRefusal: () => false,
      settleMs: 1000,
      freshMs: 5000,
    },
  )
  await assert.rejects(call, /stood still/)
  assert.deepEqual(asked, [])
})

test('who may not write down that it asks does not ask', async () => {
  const asked: string[] = []
  const step = () => Promise.reject(new DOMException('another run holds it', 'AbortError'))
  const ask = () => Promise.resolve(asked.push('asked'))
  const look = () => Promise.resolve(undefined)
  const call = askOnce(
    'pay',
    { step, sleep: async () => {} },
    {
      look,
      ask,
      isRefusal: () => false,
      settleMs: 1000,
      freshMs: 5000,
    },
  )
  await assert.rejects(call, /another run/)
  assert.deepEqual(asked, [])
})

test('the settings that are shipped are those the team named', () => {
  assert.deepEqual(readSettings({}), {
    backendUrl: undefined,
    standInFile: '.errand/payments-backend.db',
    timeoutMs: 40_000,
    runMs: 120_000,
    settleMs: 120_000,
    freshMs: 5000,
    readTimeoutMs: 3000,
    pollMs: 1000,
    attempts: 10,
    backoffMs: 2000,
    backoffMaxMs: 300_000,
    keepMs: 3_600_000,
    confirmWithinMs: 0,
    rowsMax: 5000,
    syncRowsMax: 50,
    syncWaitMs: 50_000,
  })
  assert.throws(() => readSettings({ PAYMENTS_KEEP: 'soon' }), /PAYMENTS_KEEP/)
  // What was asked is given up while there is time to look.
  const { timeoutMs, freshMs } = readSettings({ PAYMENTS_SETTLE: '2s' })
  assert.deepEqual([timeoutMs, freshMs], [1600, 400])
  assert.equal(readSettings({ PAYMENTS_SETTLE: '10m', PAYMENTS_TIMEOUT: '3m' }).runMs, 540_000)
})

type Rehearsal = Awaited<ReturnType<typeof rehearse>>

function desks(errand: Rehearsal, bank: Bank) {
  const backend = new Backend(bank.url, 1000)
  const sight = new Sight(errand, backend)
  const payments = new Payments(errand, backend, sight)
  return { sight, payments, decisions: new Decisions(errand, sight) }
}

/** A mass payment that waits for somebody's decision. */
async function processed(errand: Rehearsal, bank: Bank) {
  const { id } = await errand.enqueue(create, request(1))
  await errand.drain()
  return { id, ...desks(errand, bank) }
}
