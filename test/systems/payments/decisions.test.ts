// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/command.ts'
import { onEachStore } from '../stage.ts'
import { openBank, request, stand } from './setup.ts'

const CREATE = { method: 'POST', path: '/mass-payments' }

onEachStore((open) => {
  test('a cancel that was accepted holds while the backend is away: nobody confirms it meanwhile', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1, 0, { confirm_within: 3600 }))
    await at.becomes(id, 'processed')
    await at.bank.script({ ...CREATE, times: 12, status: 503 })
    assert.equal((await at.cancel(id)).status, 202)
    const cancelling = async () =>
      (await at.system.errand.list({ tag: id, state: 'scheduled' }, 5)).jobs.find(
        ({ attempt }) => attempt > 1,
      )
    await until(cancelling, 'the backend was not away')
    const { acts, confirmation } = await at.view(id)
    assert.deepEqual([acts, confirmation?.expires_at], [[], undefined])
    assert.equal((await at.confirm(id)).status, 409)
    assert.equal((await at.cancel(id)).status, 202, 'the same again')
    await at.becomes(id, 'cancelled')
  })

  test('a cancel that the backend refuses leaves it open: it can be cancelled again, or confirmed', async () => {
    await using at = await stand(open)
    const body = { error: { message: 'not on Sundays' } }
    const [again, on] = await Promise.all(
      [1, 2].map(async () => {
        const id = await at.submitted(request(1))
        await at.becomes(id, 'processed')
        return id
      }),
    )
    assert.ok(again && on)
    await at.bank.script({ ...CREATE, times: 2, status: 422, body })
    for (const id of [again, on]) {
      assert.equal((await at.cancel(id)).status, 202)
      const { status, acts } = await until(async () => {
        const seen = await at.view(id)
        return seen.cancellation ? seen : undefined
      }, 'it was not refused')
      assert.deepEqual([status, acts], ['processed', ['confirm', 'cancel']])
    }
    assert.equal((await at.cancel(again)).status, 202)
    await at.becomes(again, 'cancelled')
    assert.equal((await at.confirm(on)).status, 202)
    await at.becomes(on, 'created')
  })

  test('of a confirmation and a cancel at once, what was refused did not happen', async () => {
    await using at = await stand(open)
    const ids = await Promise.all(Array.from({ length: 8 }, () => at.submitted(request(1))))
    await Promise.all(ids.map((id) => at.becomes(id, 'processed')))
    const pairs = ids.map(async (id) => {
      const [confirmed, cancelled] = await Promise.all([at.confirm(id), at.cancel(id)])
      return { id, answers: [confirmed.status, cancelled.status] }
    })
    for (const { id, answers } of await Promise.all(pairs)) {
      assert.notDeepEqual(answers, [409, 409])
      if (answers[1] === 409) await at.becomes(id, 'created')
      if (answers[0] === 409) await at.becomes(id, 'cancelled')
    }
  })

  test('what has ended in the backend takes no confirmation and no retry, though its jobs are kept', async () => {
    await using at = await stand(open)
    const endedBy = async (act: string) => {
      const id = await at.submitted(request(1))
      await at.becomes(id, 'processed')
      const [held] = await at.bank.held(id)
      await at.bank.ask(`/mass-payments/${held?.id}/${act}`, 'POST')
      return id
    }
    const rejected = await at.submitted(request(2, 1, { on_row_errors: 'reject' }))
    await at.becomes(rejected, 'cancelled')
    const refused = await at.submitted(request(1))
    await at.becomes(refused, 'processed')
    await at.bank.script({ ...CREATE, times: 1, status: 422, body: { error: { message: 'no' } } })
    await at.confirm(refused)
    await at.becomes(refused, 'failed')
    assert.equal((await at.cancel(refused)).status, 202)
    await at.becomes(refused, 'cancelled')
    for (const id of [await endedBy('confirm'), await endedBy('cancel'), rejected, refused]) {
      assert.deepEqual((await at.view(id)).acts, [])
      for (const act of ['confirm', 'cancel', 'retry'])
        assert.equal((await at.ask(`/${id}/${act}`, { method: 'POST' })).status, 409, act)
    }
  })

  test('twenty who confirm at the same moment are told of one job', async () => {
    const { promise, resolve: release } = Promise.withResolvers<void>()
    const bank = openBank((path) => (path.endsWith('/confirm') ? promise : undefined))
    await using at = await stand(open, { bank })
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    const keys = Array.from({ length: 20 }, (_, i) => ({ 'idempotency-key': `k${i}` }))
    const answers = await Promise.all(keys.map(async (key) => at.confirm(id, key)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]))
    assert.equal(new Set(await Promise.all(answers.map((one) => one.text()))).size, 1)
    release()
    await at.becomes(id, 'created')
  })
})
