import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { workplace } from '../support/place.ts'

async function submit(url: unknown, key: string, text: string) {
  const response = await fetch(`${String(url)}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ job: 'echo', input: { text } }),
  })
  const { id }: { id?: string } = JSON.parse(await response.text())
  return { id, status: response.status, replayed: response.headers.get('idempotency-replayed') }
}

for (const [point, replayed] of [
  ['insert.before_commit', null],
  ['insert.after_commit', 'true'],
  ['reply.sending', 'true'],
] as const)
  test(`a request cut off by a server that died at ${point} is answered by another one, and counts once`, async () => {
    await using place = await workplace()
    const { url: dying } = await place.here
      .startWith({ ERRAND_FAILPOINTS: `${point}=crash` }, 'serve')
      .said('serving')
    const { url: other } = await place.here.start('serve').said('serving')
    const key = newId()
    await assert.rejects(submit(dying, key, 'hello'))
    const first = await submit(other, key, 'hello')
    assert.deepEqual([first.status, first.replayed], [202, replayed])
    const second = await submit(other, key, 'hello')
    assert.deepEqual([second.status, second.id, second.replayed], [202, first.id, 'true'])
    assert.equal((await submit(other, key, 'other')).status, 422)
    const { jobs } = await place.errand.list({}, 10)
    assert.deepEqual(
      jobs.map(({ id }) => id),
      [first.id],
    )
    assert.deepEqual(await place.errand.verify(), [])
  })
