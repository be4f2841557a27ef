import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { open } from '../../src/open.ts'
import { Installation } from '../support/command.ts'
import { openGround } from '../support/ground.ts'
import { Hand } from '../support/hand.ts'
import { chore, failed } from '../support/jobs.ts'
import { readStores } from '../support/stores.ts'

const grounds = await Promise.all(readStores().map((store) => openGround(store)))
after(async () => {
  for (const ground of grounds) await ground[Symbol.asyncDispose]()
})

/** Where a person's process dies, whether the act is in the log by then, and whether it was done. */
const DEATHS = [
  ['audit.before_commit', false, false],
  ['audit.after_commit', true, false],
  ['erase.before_commit', true, false],
  ['erase.after_commit', true, true],
] as const

for (const ground of grounds)
  for (const [point, isWritten, isDone] of DEATHS) {
    // On PostgreSQL an entry is no call with a point of its own.
    if (ground.name === 'postgres' && point.startsWith('audit')) continue
    test(`no act is without its line, though its process dies at ${point}: ${ground.name}`, async () => {
      await using here = new Installation()
      const url = ground.fresh(here.folder)
      await using errand = await open(url)
      const { store } = errand
      const hand = await Hand.register(store)
      const job = chore({ fingerprint: 'f' })
      await store.insert([job])
      await hand.settle(await hand.claimOne(), failed())

      const env = { ERRAND_FAILPOINTS: `${point}=crash` }
      const discard = ['dead', 'discard', job.id, '--note', 'why', '--store', url]
      await here.startWith(env, ...discard).exit()
      const { entries } = await errand.audit({})
      assert.equal(entries.length === 1, isWritten)
      assert.equal((await store.find([job.id]))[0] === undefined, isDone)
      assert.deepEqual(await store.verify(), [])

      // Who was cut off does it again.
      here.ask(...discard)
      assert.deepEqual(await store.find([job.id]), [undefined])
      assert.deepEqual(await store.insert([job]), [{ id: job.id, refused: 'JOB_ERASED' }])
      assert.equal((await store.tally())[0]?.erased, 1)
    })
  }
