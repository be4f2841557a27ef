import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completed, suspended } from '../support/jobs.ts'
import { openDoor } from './door.ts'

test('a signal over HTTP wakes a job that waits for it, once under its key', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.hand.settle(await door.hand.claimOne(), suspended({ one: ['signal:confirm'] }))
  const send = (body: unknown) =>
    door.post(`/v1/jobs/${id}/signals/confirm`, body, { 'idempotency-key': 'once' })

  const first = await send({ value: { by: 'Ada' }, ifWaiting: true })
  assert.equal(first.status, 202)
  assert.equal(first.headers.get('idempotency-replayed'), null)
  const { state, waitingFor }: { state: string; waitingFor?: string } = JSON.parse(
    await first.text(),
  )
  assert.deepEqual([state, waitingFor], ['ready', undefined])
  const second = await send({ value: 'another' })
  assert.deepEqual([second.status, second.headers.get('idempotency-replayed')], [202, 'true'])

  const list = await door.get(`/v1/jobs/${id}/signals`)
  const { data }: { data: { name: string; key: string; value: unknown }[] } = JSON.parse(
    await list.text(),
  )
  assert.deepEqual(
    data.map(({ name, key, value }) => [name, key, value]),
    [['confirm', 'once', { by: 'Ada' }]],
  )
})

test('a signal that nobody would hear is refused', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  const refusals: [string, unknown, number, string][] = [
    [`${id}/signals/go`, { ifWaiting: true }, 409, 'NOT_WAITING'],
    ['01a21ec6-f63d-7001-89ba-b576dd4b3dbd/signals/go', {}, 404, 'JOB_NOT_FOUND'],
    [`${id}/signals/go`, { worth: 1 }, 422, 'VALIDATION_FAILED'],
    [`${id}/signals/${'x'.repeat(101)}`, {}, 422, 'VALIDATION_FAILED'],
  ]
  for (const [path, body, status, code] of refusals) {
    const answer = await door.post(`/v1/jobs/${path}`, body)
    const problem: { code: string } = JSON.parse(await answer.text())
    assert.deepEqual([answer.status, problem.code], [status, code])
  }
  await door.hand.settle(await door.hand.claimOne(), completed())
  assert.equal((await door.post(`/v1/jobs/${id}/signals/go`, {})).status, 409)
})
