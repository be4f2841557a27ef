// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { z } from 'zod'
import { create } from '../../../systems/payments/contract.ts'
import { until } from '../../support/command.ts'
import { onEachStore } from '../stage.ts'
import { openBank, request, stand } from './setup.ts'

const Refusal = z.object({ errors: z.array(z.object({ pointer: z.string(), detail: z.string() })) })

onEachStore((open) => {
  test('a mass payment is processed under its MP-UUID, waits for its confirmation, and is created', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(3))
    const seen = await at.becomes(id, 'processed')
    assert.deepEqual([seen.label, seen.with_errors], ['processed', false])
    assert.deepEqual(seen.counts, { received: 3, processed: 3, errored: 0, created: 0 })
    assert.equal(seen.confirmation?.needed, true)
    assert.deepEqual((await at.system.errand.list({ tag: id }, 10)).jobs, [])
    assert.equal((await at.confirm(id)).status, 202)
    const done = await at.becomes(id, 'created')
    assert.equal(done.counts?.created, 3)
    const held = await at.bank.held()
    assert.deepEqual(
      held.map(({ mp_uuid, status }) => [mp_uuid, status]),
      [[id, 'created']],
    )
    assert.deepEqual(await at.system.errand.verify(), [])
  })

  test('a request is accepted without a word to the backend, under the id that the caller gave', async () => {
    await using at = await stand(open, { idle: true })
    const id = randomUUID()
    const answer = await at.submit({ ...request(2), id })
    assert.equal(answer.status, 202)
    assert.equal(answer.headers.get('location'), `/payments/mass-payments/${id}`)
    assert.equal((await at.view(id)).status, 'queued_for_processing')
    assert.deepEqual(await at.bank.calls('POST'), [])
    assert.deepEqual(await at.bank.calls('GET'), [])
    assert.equal((await at.submit({ ...request(2), id })).status, 202, 'the same again')
    assert.equal((await at.submit({ ...request(3), id })).status, 409, 'another under the same id')
  })

  test('under one Idempotency-Key there is one mass payment', async () => {
    await using at = await stand(open, { idle: true })
    const key = { 'idempotency-key': 'monday' }
    const id = await at.submitted(request(1), key)
    assert.equal(await at.submitted(request(1), key), id)
    assert.equal((await at.submit(request(2), key)).status, 422)
    const other = { ...key, 'x-tenant': 'acme' }
    assert.notEqual(await at.submitted(request(1), other), id)
    const own = { 'idempotency-key': 'tuesday' }
    const first = await at.submitted({ ...request(1), id: randomUUID() }, own)
    assert.equal(await at.submitted({ ...request(1), id: randomUUID() }, own), first)
    assert.equal(await at.submitted(request(1), own), first, 'without an id')
    assert.equal((await at.submit({ ...request(3), id: randomUUID() }, own)).status, 422)
    assert.equal(await at.submitted({ ...request(1), id: first }), first, 'without the key')
    assert.equal((await at.submit({ ...request(2), id: first })).status, 409)
  })

  test('a key stands for its mass payment after that is processed, too', async () => {
    await using at = await stand(open)
    const key = { 'idempotency-key': 'wednesday' }
    const id = await at.submitted({ ...request(1), id: randomUUID() }, key)
    await at.becomes(id, 'processed')
    const again = await at.submit({ ...request(1), id: randomUUID() }, key)
    assert.match(await again.text(), new RegExp(`"id":"${id}".*"status":"processed"`))
    assert.equal((await at.bank.held()).length, 1)
    assert.equal(await at.submitted({ ...request(1), id }), id, 'the same under its id')
    assert.equal((await at.submit({ ...request(2), id })).status, 409, 'another under its id')
    const acme = { 'x-tenant': 'acme' }
    assert.equal((await at.submit({ ...request(1), id }, acme)).status, 409, 'another’s id')
  })

  test('a body that is none, and an id that nobody has, are told so', async () => {
    await using at = await stand(open, { idle: true })
    const headers = { 'content-type': 'application/json' }
    const empty = await at.ask('', { method: 'POST', headers })
    assert.equal(empty.status, 400)
    const unknown = await at.ask(`/${randomUUID()}/retry`, { method: 'POST' })
    assert.equal(unknown.status, 404)
    assert.match(await unknown.text(), /no mass payment has the id/)
  })

  test('what does not fit is told by its place, in plain sentences', async () => {
    await using at = await stand(open, { idle: true })
    const [row] = request(1).payments
    const answer = await at.submit({
      external_reference: 7,
      confirm_within: 0,
      payments: [
        { ...row, beneficiary: undefined, iban: 'x' },
        { ...row, beneficiary: '', x: 1 },
      ],
    })
    assert.equal(answer.status, 422)
    const { errors } = Refusal.parse(await answer.json())
    assert.deepEqual(
      errors.map(({ pointer, detail }) => `${pointer} ${detail}`),
      [
        '/external_reference must be a text',
        '/confirm_within must be at least 1',
        '/payments/0/beneficiary is missing',
        '/payments/0/iban needs an IBAN without spaces',
        '/payments/1/beneficiary must not be empty',
        '/payments/1/x is not known here',
      ],
    )
  })

  test('a confirmation is taken in the right state only, and however often it is sent, there is one', async () => {
    const { promise, resolve: release } = Promise.withResolvers<void>()
    const bank = openBank((path) => (path.endsWith('/confirm') ? promise : undefined))
    await using at = await stand(open, { idle: true, bank })
    assert.equal((await at.confirm(randomUUID())).status, 404)
    assert.equal((await at.confirm('none')).status, 404)
    const id = await at.submitted(request(1))
    assert.equal((await at.confirm(id)).status, 409, 'before it is processed')
    const worker = await at.system.work()
    await at.becomes(id, 'processed')
    const key = { 'idempotency-key': 'yes' }
    const answers = await Promise.all([1, 2, 3].map(async () => at.confirm(id, key)))
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]))
    assert.equal(new Set(texts).size, 1)
    assert.equal(await (await at.confirm(id)).text(), texts[0], 'without a key, too')
    const other = { 'idempotency-key': 'yes-too' }
    assert.equal(await (await at.confirm(id, other)).text(), texts[0], 'under another key')
    release()
    await at.becomes(id, 'created')
    const late = await at.confirm(id)
    assert.equal(late.status, 409, 'after its end')
    assert.match(await late.text(), /the mass payment \S+ is created and cannot be confirmed/)
    for (const repeated of [key, other])
      assert.equal(await (await at.confirm(id, repeated)).text(), texts[0], 'a repeated request')
    assert.equal((await at.confirm(id, { 'idempotency-key': 'late' })).status, 409, 'a new one')
    const jobs = (await at.system.errand.list({ tag: id }, 10)).jobs
    assert.equal(jobs.length, 1)
    assert.equal((await at.bank.calls('POST')).length, 2)
    await worker.stop()
  })

  test('a confirmation that no worker has begun is queued for creating, and offers nothing more', async () => {
    await using at = await stand(open, { idle: true })
    const id = await at.submitted(request(1))
    assert.equal((await at.view(id)).status, 'queued_for_processing')
    const worker = await at.system.work()
    await at.becomes(id, 'processed')
    await worker.stop()
    assert.equal((await at.confirm(id)).status, 202)
    assert.equal((await at.view(id)).status, 'queued_for_creating')
    assert.equal((await at.cancel(id)).status, 409)
  })

  test('who asked for it at once need not confirm, unless rows were refused and it is to be held', async () => {
    await using at = await stand(open)
    const clean = await at.submitted(request(2, 0, { auto_commit: true }))
    const named = await at.submitted(request(2, 0, { accept_immediately: true }))
    const held = await at.submitted(request(10, 2, { auto_commit: true }))
    const on = await at.submitted(request(10, 2, { auto_commit: true, on_row_errors: 'continue' }))
    const part = await at.submitted(request(10, 2, { auto_commit: true, accept_partial: true }))
    const rejected = await at.submitted(
      request(10, 2, { auto_commit: true, on_row_errors: 'reject' }),
    )
    for (const id of [clean, named, part]) await at.becomes(id, 'created')
    const partly = await at.becomes(held, 'processed')
    assert.deepEqual([partly.label, partly.with_errors], ['processed with errors', true])
    assert.deepEqual(partly.counts, { received: 10, processed: 8, errored: 2, created: 0 })
    const done = await at.becomes(on, 'created')
    assert.deepEqual([done.label, done.counts?.created], ['created with errors', 8])
    const none = await at.becomes(rejected, 'cancelled')
    assert.match(none.error?.message ?? '', /2 of 10/)
    assert.equal((await at.bank.held(rejected))[0]?.status, 'cancelled')
    assert.equal((await at.confirm(rejected)).status, 409)
    assert.equal((await at.confirm(held)).status, 202)
    await at.becomes(held, 'created')
  })

  test('rows and what was wrong with them are read from the backend, and are not in the store', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(5, 2))
    await at.becomes(id, 'processed')
    const errors = JSON.stringify(await (await at.ask(`/${id}/errors?page_size=1&page=2`)).json())
    assert.match(errors, /"row":5.*INVALID_IBAN.*"total":2/)
    const taken = JSON.stringify(await (await at.ask(`/${id}/payments-received`)).json())
    assert.match(taken, /Person 1.*"total":3/)
    const job = await until(async () => {
      const view = await at.system.errand.job(id)
      return view.dropped ? view : undefined
    }, 'the input stayed')
    assert.deepEqual([job.dropped, job.result], [['input'], undefined])
    const [row] = await at.system.errand.store.find([id])
    assert.equal(row?.input.length, 0)
  })

  test('what nobody confirms in time is cancelled; who confirms in time takes the expiry away', async () => {
    await using at = await stand(open)
    const late = await at.submitted(request(1, 0, { confirm_within: 1 }))
    const kept = await at.submitted(request(1, 0, { confirm_within: 1000 }))
    const given = await at.submitted(request(1, 0, { confirm_within: 1000 }))
    const waiting = await at.becomes(kept, 'processed')
    assert.ok(Date.parse(waiting.confirmation?.expires_at ?? '') > Date.now() + 900_000)
    await at.becomes(late, 'cancelled')
    assert.equal((await at.confirm(late)).status, 409)
    await at.confirm(kept)
    await at.becomes(kept, 'created')
    await at.becomes(given, 'processed')
    assert.equal((await at.cancel(given)).status, 202)
    await at.becomes(given, 'cancelled')
    assert.equal((await at.cancel(kept)).status, 409)
    const live = (await at.system.errand.list({ state: 'scheduled' }, 10)).jobs
    assert.deepEqual(live, [])
  })

  test('where every row is refused there is nothing to confirm, by itself or by a person', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(2, 2, { auto_commit: true, accept_partial: true }))
    const { counts, acts, confirmation } = await at.becomes(id, 'processed')
    assert.deepEqual(
      [counts?.received, counts?.errored, acts, confirmation?.needed],
      [2, 2, ['cancel'], false],
    )
    assert.equal((await at.confirm(id)).status, 409)
    assert.equal((await at.cancel(id)).status, 202)
    await at.becomes(id, 'cancelled')
  })

  test('5000 rows are taken at once and processed', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(5000, 5))
    const { counts } = await at.becomes(id, 'processed')
    assert.deepEqual(counts, { received: 5000, processed: 4995, errored: 5, created: 0 })
    assert.equal((await at.submit(request(5001))).status, 422)
  })

  test('nobody sees or confirms what another tenant has', async () => {
    await using at = await stand(open)
    const acme = { 'x-tenant': 'acme' }
    const id = await at.submitted(request(1), acme)
    await until(async () => (await at.bank.held(id, 'acme'))[0], 'it was not processed')
    assert.equal((await at.ask(`/${id}`)).status, 404)
    assert.equal((await at.ask(`/${id}/errors`)).status, 404)
    assert.equal((await at.confirm(id)).status, 404)
    assert.equal((await at.ask(`/${id}`, { headers: acme })).status, 200)
  })

  test('the synchronous way runs the same job and answers with what became of it', async () => {
    await using at = await stand(open)
    const post = (body: unknown) => at.system.post('/payments/mass-payments/sync', body)
    const answer = await post(request(2, 0, { auto_commit: true }))
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /"status":"created".*"created":2/)
    assert.equal((await post(request(51))).status, 422)
    const jobs = (await at.system.errand.list({ job: create.name }, 10)).jobs
    assert.equal(jobs.length, 1)
  })
})
