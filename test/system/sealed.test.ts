import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MERGED } from '../support/command.ts'
import { openGround } from '../support/ground.ts'
import { workplace } from '../support/place.ts'
import { readStores } from '../support/stores.ts'
import { tracesOf } from '../support/traces.ts'

/** Whatever way a job ends, this must lie in no byte of a database, its journals, our files or our logs. */
const CANARY = 'canary-2f6b-private'
const KEYS = { ERRAND_SEAL_KEYS: `a:${Buffer.alloc(32, 7).toString('base64')}` }
const ENDS = { complete: 'completed', fail: 'failed', crash: 'failed', hang: 'failed' } as const

for (const store of readStores())
  test(`sealed data lies in no byte of ${store}, however a job ends`, async () => {
    await using ground = await openGround(store)
    const url = store === 'sqlite' ? undefined : ground.fresh('')
    await using place = await workplace(
      { ...KEYS, ...(url && { ERRAND_STORE: url }) },
      url,
      KEYS.ERRAND_SEAL_KEYS,
    )
    const worker = place.here.startIn(MERGED, 'worker')
    const { errand, here } = place
    const serve = here.startIn(MERGED, 'serve')
    const door = String((await serve.said('serving')).url)
    await worker.said('worker started')
    const { id: plain } = await errand.enqueue('echo', { text: 'in the clear' })
    for (const [how, end] of Object.entries(ENDS)) {
      const { id } = await errand.enqueue('secret', { text: CANARY, how }, { unique: CANARY })
      const view = await errand.ended(id, 30_000)
      assert.deepEqual([view.state, view.sealed], [end, true], how)
      if (how === 'complete') {
        assert.equal(view.result, CANARY)
        assert.equal(view.artifacts?.[0]?.bytes, CANARY.length)
        const link = `${door}/v1/jobs/${id}/artifacts/secret.csv`
        assert.equal(await (await fetch(link)).text(), CANARY)
        const part = await fetch(link, { headers: { range: 'bytes=7-10' } })
        assert.deepEqual([part.status, await part.text()], [206, CANARY.slice(7, 11)])
      }
      if (how === 'fail') assert.equal(view.error?.message, CANARY)
    }
    const { id } = await errand.enqueue('secret', { text: CANARY, how: 'wait' })
    assert.equal(here.ask('signal', id, 'more', JSON.stringify(CANARY)).code, 0)
    assert.equal((await errand.ended(id, 20_000)).result, CANARY)
    const { id: dropped } = await errand.enqueue('secret', { text: CANARY, how: 'wait' })
    await errand.cancel(dropped)
    assert.equal((await errand.ended(plain, 20_000)).state, 'completed')
    assert.deepEqual(await errand.verify(), [])

    // Whoever holds the keys is shown it; the command line of others leaves it out.
    assert(here.say('job', id).stdout.includes(CANARY))
    worker.signal('SIGTERM')
    await worker.exit()
    const logs = [worker, serve]
      .flatMap(({ lines, text }) => [...lines.map((line) => JSON.stringify(line)), ...text])
      .join('')
    assert(!logs.includes(CANARY))
    assert.deepEqual(tracesOf(CANARY, here.folder, ground.server?.folder), [])
    await ground.server?.kill('SIGINT')
    assert.deepEqual(tracesOf(CANARY, here.folder, ground.server?.folder), [])
  })
