// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './brief.ts'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { openRecords } from '../../../systems/domains/batch/open-records.ts'
import { forget } from '../../../systems/domains/batch/worker-service.ts'
import { eventually as until } from '../../support/until.ts'
import { onEachStore } from '../stage.ts'
import { appOver, databaseOf, openWeb, overAt, type SmallWeb, submit } from './setup.ts'

let web: SmallWeb
before(async () => {
  web = await openWeb()
})
after(() => web[Symbol.asyncDispose]())

onEachStore((open, name) => {
  test('a batch that nobody worked on for longer than batches are kept keeps its record', async () => {
    await using system = await open(appOver(web))
    await using records = await openRecords(databaseOf(system.folder, system.url), system.url)
    await submit(system, ['late.example'], { batch_id: 'late' })
    const key = { tenant: '', batchId: 'late' }
    const means = { errand: system.errand, records }
    await forget(await records.old(Date.now() + 1), means)
    const record = await records.find(key)
    assert.notEqual(record, undefined)
    // Cancelled before it began, it has nothing more to wait for.
    await system.errand.cancel(record?.id ?? '')
    await forget(await records.old(Date.now() + 1), means)
    assert.equal(await records.find(key), undefined)
  })

  test('what is kept no longer is said to be expired, then not there; its record goes with it', async () => {
    await using system = await open(appOver(web, { adoptMs: 1000 }))
    await using records = await openRecords(databaseOf(system.folder, system.url), system.url)
    const path = await submit(system, ['a.example'], { batch_id: 'old' })
    await system.work({ sweepMs: 200 })
    assert.equal((await overAt(system, path)).status, 'complete')
    await until(async () => {
      const answer = await system.ask(path)
      return answer.status === 404 || (await answer.text()).includes('"status":"expired"')
    })
    // Elsewhere the batch is looked at again ten minutes after its items.
    if (name !== 'postgres') return
    await until(async () => (await system.ask(path)).status === 404)
    const key = { tenant: '', batchId: 'old' }
    await until(async () => (await records.find(key)) === undefined)
  })
})
