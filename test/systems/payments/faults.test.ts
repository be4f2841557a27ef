// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { open as openStore } from '../../../src/index.ts'
import { paymentsApp } from '../../../systems/payments/app.ts'
import { until } from '../../support/command.ts'
import { onEachStore } from '../stage.ts'
import { request, stand } from './setup.ts'

const CREATE = { method: 'POST', path: '/mass-payments' }

const isConfirm = ({ path }: { path: string }) => path.endsWith('/confirm')

onEachStore((open) => {
  test('a backend that takes it in and loses its reply is asked once, to create and to confirm', async () => {
    await using at = await stand(open)
    await at.bank.script({ ...CREATE, skip: 0, times: 2, lose: 'reply' })
    const id = await at.submitted(request(2, 0, { auto_commit: true }))
    await at.becomes(id, 'created')
    const held = await at.bank.held(id)
    assert.deepEqual(
      held.map(({ status }) => status),
      ['created'],
    )
    const paths = (await at.bank.calls('POST')).map(({ path }) => path.split('/').at(-1))
    assert.deepEqual(paths, ['mass-payments', 'confirm'])
  })

  test('a request that was lost, and two answers of 503, end in one mass payment', async () => {
    await using at = await stand(open)
    await at.bank.script(
      { ...CREATE, times: 1, lose: 'request' },
      { ...CREATE, times: 2, status: 503 },
    )
    const id = await at.submitted(request(2))
    await at.becomes(id, 'processed')
    assert.equal((await at.bank.held(id)).length, 1)
    assert.equal((await at.bank.calls('POST')).length, 4)
  })

  test('a backend that is slower than we wait, and takes it in later, is not asked again meanwhile', async () => {
    await using at = await stand(open)
    await at.bank.script({ ...CREATE, times: 2, delayMs: 700 })
    const id = await at.submitted(request(2, 0, { auto_commit: true }))
    await at.becomes(id, 'created')
    assert.equal((await at.bank.held(id)).length, 1)
    assert.equal((await at.bank.calls('POST')).length, 2)
  })

  test('what should have been cancelled by now is confirmed no more, though nobody works', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1, 0, { confirm_within: 1 }))
    await at.becomes(id, 'processed')
    await at.rest()
    const over = async () => ((await at.view(id)).acts.length === 0 ? true : undefined)
    await until(over, 'it may be confirmed')
    assert.equal((await at.confirm(id)).status, 409)
  })

  test('what only a worker without keys has taken, and set aside, is still queued', async () => {
    await using at = await stand(open, { idle: true })
    const { app, errand, url } = at.system
    const id = await at.submitted(request(1))
    await using keyless = await openStore(url, { jobs: app.jobs })
    const idle = await keyless.work(app)
    const parked = async () => (await errand.job(id)).waitingFor
    await until(parked, 'nobody took it')
    await idle.stop()
    assert.equal((await at.view(id)).status, 'queued_for_processing')
    const worker = await at.system.work()
    await at.becomes(id, 'processed')
    await worker.stop()
  })

  test('a mass payment that an operator called off can be tried again', async () => {
    await using at = await stand(open, { idle: true })
    const id = await at.submitted(request(1))
    await at.system.errand.cancel(id)
    assert.equal((await at.view(id)).status, 'cancelled')
    assert.equal((await at.ask(`/${id}/retry`, { method: 'POST' })).status, 202)
    const worker = await at.system.work()
    await at.becomes(id, 'processed')
    await worker.stop()
  })

  test('what the backend will not confirm can be tried again, or cancelled', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    await at.bank.script({ ...CREATE, times: 1, status: 422, body: { error: { message: 'no' } } })
    await at.confirm(id)
    await at.becomes(id, 'failed')
    assert.deepEqual((await at.view(id)).acts, ['retry', 'cancel'])
    assert.equal((await at.cancel(id)).status, 202)
    await at.becomes(id, 'cancelled')
    assert.equal((await at.bank.held(id))[0]?.status, 'cancelled')
  })

  test('a confirmation that an operator calls off in the middle, and that is asked for again, is one', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    await at.bank.script({ ...CREATE, times: 1, delayMs: 700 })
    const { job } = z.object({ job: z.uuid() }).parse(await (await at.confirm(id)).json())
    const asked = async () => (await at.bank.calls('POST')).filter(isConfirm).length || undefined
    await until(asked, 'the backend was not asked')
    await at.system.errand.cancel(job)
    assert.equal((await at.system.errand.ended(job, 20_000)).state, 'cancelled')
    assert.equal((await at.confirm(id)).status, 202)
    await at.becomes(id, 'created')
    assert.equal(await asked(), 1)
  })

  test('a backend that is away is waited for before anything is asked of it', async () => {
    await using at = await stand(open)
    await at.bank.script({ times: 4, status: 503 })
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    assert.equal((await at.bank.calls('POST')).length, 1)
  })

  test('what the backend refuses has failed after one attempt, and says why', async () => {
    await using at = await stand(open)
    const body = { error: { message: 'the debit account is closed' } }
    await at.bank.script({ ...CREATE, times: 1, status: 400, body })
    const id = await at.submitted(request(2, 0, { auto_commit: true }))
    const { error } = await at.becomes(id, 'failed')
    assert.match(error?.message ?? '', /400.*the debit account is closed/)
    const { state, attempt } = await at.system.errand.job(id)
    assert.deepEqual([state, attempt], ['failed', 1])
    assert.equal((await at.confirm(id)).status, 409)
    assert.deepEqual(await at.bank.held(), [])
  })

  test('after an answer that nothing was done, nothing is waited for: not by itself, nor by who tries again', async () => {
    await using at = await stand(open)
    const create = { ...CREATE, times: 1 }
    await at.bank.script({ ...create, status: 429 }, { ...create, status: 422 })
    const id = await at.submitted(request(1))
    await at.becomes(id, 'failed')
    assert.equal((await at.ask(`/${id}/retry`, { method: 'POST' })).status, 202)
    await at.becomes(id, 'processed')
    const names = (await at.system.errand.steps(id)).map(({ name }) => name)
    assert.deepEqual(
      names.filter((name) => name.endsWith('settles')),
      [],
    )
    assert.equal((await at.bank.held(id)).length, 1)
  })

  test('a confirmation that failed for good can be tried again', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    const refusal = { error: { message: 'not enough money' } }
    await at.bank.script({ method: 'POST', times: 1, status: 422, body: refusal })
    await at.confirm(id)
    assert.match((await at.becomes(id, 'failed')).error?.message ?? '', /not enough money/)
    assert.equal((await at.confirm(id)).status, 409)
    assert.equal((await at.ask(`/${id}/retry`, { method: 'POST' })).status, 202)
    await at.becomes(id, 'created')
  })

  test('for its users a backend that works in its own time is the same', async () => {
    await using at = await stand(open)
    await at.bank.ask('/stand-in-mode', 'PUT', { async: true, work_ms: 300 })
    const id = await at.submitted(request(10, 2))
    await at.becomes(id, 'processing')
    const seen = await at.becomes(id, 'processed')
    assert.equal(seen.label, 'processed with errors')
    await at.confirm(id)
    await at.becomes(id, 'creating')
    const done = await at.becomes(id, 'created')
    assert.equal(done.counts?.created, 8)
    assert.equal((await at.bank.calls('POST')).length, 2)
  })

  test('while the backend does not answer, what is queued and under way is told all the same', async () => {
    await using at = await stand(open, { idle: true })
    const id = await at.submitted(request(1))
    await at.bank.script({ status: 503 })
    assert.equal((await at.view(id)).status, 'queued_for_processing')
    const worker = await at.system.work()
    await at.becomes(id, 'processing')
    assert.equal((await at.ask('/00000000-0000-4000-8000-000000000000')).status, 503)
    await worker.stop()
  })

  test('the check before a deployment asks the backend, and fails while it is away', async () => {
    await using at = await stand(open, { idle: true })
    const [[name, check] = []] = Object.entries(paymentsApp(at.bank.url).checks ?? {})
    assert.equal(name, `payments backend at ${new URL(at.bank.url).host}`)
    await check?.()
    assert.equal((await at.bank.calls('GET')).length, 1)
    await at.bank.script({ method: 'GET', times: 1, status: 503 })
    await assert.rejects(async () => check?.(), /503/)
  })

  test('two mass payments under one id are never confirmed', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    await at.rest()
    assert.equal((await at.confirm(id)).status, 202)
    await at.bank.add(id)
    const worker = await at.system.work()
    const failed = await at.becomes(id, 'failed')
    assert.match(failed.error?.message ?? '', /two mass payments/)
    assert.ok((await at.bank.held(id)).every(({ status }) => status === 'processed'))
    await worker.stop()
  })
})
