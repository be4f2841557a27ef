import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { openDoor, read } from './door.ts'

const Paused = z.object({ since: z.iso.datetime(), person: z.string(), reason: z.string() })
const Queues = z.object({
  data: z.array(z.object({ queue: z.string(), paused: Paused.optional() }).loose()),
})

test('a queue that is paused over HTTP hands nothing out, and says why, until it is resumed', async () => {
  await using door = await openDoor({ authenticate: () => ({ person: 'Ada' }) })
  const id = await door.submit()
  const reason = 'the printer is down'
  const { queue, paused } = await read(await door.post('/v1/queues/default/pause', { reason }))
  assert.equal(queue, 'default')
  assert.deepEqual(await door.hand.claim(), [])
  const standing = Queues.parse(await read(await door.get('/v1/queues'))).data[0]?.paused
  assert.deepEqual(standing, Paused.parse(paused))
  assert.deepEqual([standing?.person, standing?.reason], ['Ada', reason])
  const why = await read(await door.get(`/v1/jobs/${id}/why`))
  assert.equal(why.code, 'QUEUE_PAUSED')
  assert.match(String(why.text), /default is paused since .* by Ada: the printer is down$/)
  assert.match(
    await (await door.get('/metrics')).text(),
    /^errand_queue_paused\{queue="default"\} 1$/m,
  )

  const resumed = await door.post('/v1/queues/default/resume', { note: 'mended' })
  assert.deepEqual([resumed.status, await read(resumed)], [200, { queue: 'default' }])
  assert.match(
    await (await door.get('/metrics')).text(),
    /^errand_queue_paused\{queue="default"\} 0$/m,
  )
  assert.equal((await door.hand.claim())[0]?.id, id)
  const { data } = await read(await door.get('/v1/audit'))
  const Line = z.object({ act: z.string(), queue: z.string(), note: z.string() }).array()
  assert.deepEqual(Line.parse(data), [
    { act: 'resume', queue: 'default', note: 'mended' },
    { act: 'pause', queue: 'default', note: reason },
  ])
})

test('pausing needs no body, and repeated it answers as the first time', async () => {
  await using door = await openDoor()
  const pause = () => door.server.request('/v1/queues/letters/pause', { method: 'POST' })
  const first = await pause()
  assert.equal(first.status, 200)
  assert.deepEqual(await read(await pause()), await read(first))
})

test('a tenant pauses and resumes nothing, and an unknown member is refused', async () => {
  let caller: { tenant?: string } = { tenant: 'acme' }
  await using door = await openDoor({ authenticate: () => caller })
  for (const act of ['pause', 'resume']) {
    const refused = await door.post(`/v1/queues/default/${act}`, {})
    assert.deepEqual([refused.status, (await read(refused)).code], [403, 'SHARED'])
  }
  caller = {}
  assert.equal((await door.post('/v1/queues/default/pause', { why: 'x' })).status, 422)
  assert.equal((await door.post('/v1/queues/No%20Queue/pause', {})).status, 422)
  assert.deepEqual(await door.watch.queues(), [])
})
