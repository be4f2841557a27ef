import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachStore } from '../stage.ts'
import { List, request, stand, View } from './setup.ts'

const REFUSED = { method: 'POST', path: '/mass-payments', status: 422 }

onEachStore((open) => {
  test('however many were refused, the list has all of them, and looks for each once', async () => {
    await using at = await stand(open)
    await at.bank.script({ ...REFUSED, times: 60 })
    const ids: string[] = []
    for (let i = 0; i < 60; i++) ids.push(await at.submitted(request(1)))
    for (const id of ids) await at.becomes(id, 'failed')
    const good = await at.submitted(request(1))
    await at.becomes(good, 'processed')
    const list = async () => List.parse(await (await at.ask('?page_size=100')).json())
    const { data, total } = await list()
    assert.equal(total, 61)
    assert.deepEqual(new Set(data.map(({ id }) => id)), new Set([...ids, good]))
    const before = (await at.bank.calls('GET')).length
    await list()
    assert((await at.bank.calls('GET')).length - before < 5)
  })

  test('one of which the backend speaks oddly hides none of the others', async () => {
    await using at = await stand(open)
    const [odd, good] = [await at.submitted(request(1)), await at.submitted(request(2))]
    for (const id of [odd, good]) await at.becomes(id, 'processed')
    await at.bank.script({ ...REFUSED, times: 1 })
    const twice = await at.submitted(request(3))
    await at.becomes(twice, 'failed')
    for (let i = 0; i < 2; i++)
      await at.bank.ask('/mass-payments', 'POST', { ...request(3), mp_uuid: twice, client_id: '' })
    const answer = await at.ask('')
    assert.equal(answer.status, 200)
    const ids = List.parse(await answer.json()).data.map(({ id }) => id)
    for (const id of [odd, good, twice]) assert(ids.includes(id), id)
  })

  test('what is over is neither confirmed nor tried again', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    // By whoever else may speak to the backend.
    const [held] = await at.bank.held(id)
    await at.bank.ask(`/mass-payments/${held?.id}/confirm`, 'POST')
    await at.becomes(id, 'created')
    assert.equal((await at.confirm(id)).status, 409)
    const rejected = await at.submitted(request(2, 1, { on_row_errors: 'reject' }))
    await at.becomes(rejected, 'cancelled')
    assert.equal((await at.ask(`/${rejected}/retry`, { method: 'POST' })).status, 409)
  })

  test('what the backend will not cancel can be confirmed', async () => {
    await using at = await stand(open)
    const id = await at.submitted(request(1))
    await at.becomes(id, 'processed')
    const [held] = await at.bank.held(id)
    const path = `/mass-payments/${held?.id}/cancel`
    await at.bank.script({ method: 'POST', path, times: 1, status: 422 })
    assert.equal((await at.cancel(id)).status, 202)
    const refused = async () => (await (await at.ask(`/${id}`)).text()).includes('"refused":true')
    while (!(await refused())) await at.view(id)
    assert.equal((await at.confirm(id)).status, 202)
    await at.becomes(id, 'created')
  })

  test('who repeats a request is told how it stands', async () => {
    await using at = await stand(open)
    const key = { 'idempotency-key': 'again' }
    const id = await at.submitted(request(1), key)
    await at.becomes(id, 'processed')
    const again = await at.submit(request(1), key)
    assert.equal(again.status, 202)
    const told = View.pick({ id: true, status: true }).parse(await again.json())
    assert.deepEqual(told, { id, status: 'processed' })
  })
})
