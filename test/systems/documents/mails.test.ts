import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { z } from 'zod'
import { openRecords } from '../../../systems/documents/records.ts'
import { tracesOf } from '../../support/traces.ts'
import { onEachStore } from '../stage.ts'
import { type Documents, openDocumentsOn, RECORDS } from './stage.ts'

const View = z.looseObject({
  mailing_id: z.uuid(),
  status: z.string(),
  refused: z.array(z.object({ contact: z.int(), address: z.string(), reason: z.string() })),
})
const List = z.object({ data: z.array(View) })
const NEW = { subject: 'Winter visits', text: 'We come in December, sentinel-text.' }
/** Half a span: on a busy machine a call that was let pass in time may arrive a little late. */
const RATE = { count: 20, windowMs: 250 }

async function sendAll(system: Documents, more: object = {}) {
  const answer = await system.post('/documents/mailings', { ...NEW, ...more })
  assert.equal(answer.status, 202)
  return View.parse(await answer.json()).mailing_id
}

async function deliver(system: Documents, id: string) {
  const worker = await system.work()
  await system.errand.watch.batchEnded(id, 60_000)
  await worker.stop()
  return View.parse(await system.json(`/documents/mailings/${id}`))
}

/** The most calls in any span of this length. */
function fullest(moments: readonly number[], windowMs: number): number {
  return Math.max(
    ...moments.map((from) => moments.filter((at) => at >= from && at < from + windowMs).length),
  )
}

onEachStore((open) => {
  test('five hundred are written to, and the three whose address is none are named', async () => {
    await using system = await openDocumentsOn(open)
    const view = await deliver(system, await sendAll(system))
    assert.partialDeepStrictEqual(view, { status: 'partial', mails: 500, sent: 497, failed: 3 })
    assert.deepEqual(view.refused, [
      { contact: 113, address: 'resident-113@', reason: 'this is no address' },
      { contact: 257, address: 'no address given', reason: 'this is no address' },
      { contact: 401, address: '@example.org', reason: 'this is no address' },
    ])
    assert.deepEqual(await system.sent(), { count: 497, repeated: 0 })
    assert.deepEqual(await system.errand.verify(), [])
  })

  test('the mail API is never called more often than was said', async () => {
    await using system = await openDocumentsOn(open, { mailRate: '20/500ms' })
    await deliver(system, await sendAll(system, { first: 60 }))
    const moments = (await system.calls()).map(({ at }) => Date.parse(at))
    assert.equal(moments.length, 60)
    assert.ok(fullest(moments, RATE.windowMs) <= RATE.count)
  })

  test('a mail API that is busy is left alone for as long as it says', async () => {
    await using system = await openDocumentsOn(open)
    // A moment, as well as a number of seconds.
    const headers = { 'retry-after': new Date(Date.now() + 2000).toUTCString() }
    await system.script({ path: '/mails', times: 1, status: 429, headers })
    const view = await deliver(system, await sendAll(system, { first: 5 }))
    assert.partialDeepStrictEqual(view, { status: 'completed', sent: 5 })
    assert.equal((await system.sent()).count, 5)
  })

  test('a mailing that is sent again under its id is one mailing', async () => {
    await using system = await openDocumentsOn(open)
    const id = crypto.randomUUID()
    for (let asked = 0; asked < 2; asked++) await sendAll(system, { id, first: 3 })
    for (const other of [{ text: 'another' }, { first: 4 }]) {
      const answer = await system.post('/documents/mailings', { ...NEW, id, first: 3, ...other })
      assert.equal(answer.status, 409)
    }
    const view = await deliver(system, id)
    assert.partialDeepStrictEqual(view, { mails: 3, sent: 3 })
    assert.equal((await system.sent()).count, 3)
  })

  test('a tenant is shown its own mailings, however many others have', async () => {
    await using system = await openDocumentsOn(open)
    const send = (tenant: string) =>
      system.ask('/documents/mailings', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tenant': tenant },
        body: JSON.stringify({ ...NEW, first: 1 }),
      })
    await send('quiet')
    for (let sent = 0; sent < 21; sent++) await send('loud')
    const shown = async (tenant: string) =>
      List.parse(await system.json('/documents/mailings', { headers: { 'x-tenant': tenant } })).data
    assert.deepEqual([(await shown('quiet')).length, (await shown('loud')).length], [1, 20])
    assert.deepEqual(await shown(''), [])
  })

  test('a mailing that was cancelled has nothing to try again, and says so', async () => {
    await using system = await openDocumentsOn(open)
    const id = await sendAll(system, { first: 2 })
    const act = (what: string) => system.post(`/documents/mailings/${id}/${what}`, {})
    assert.equal((await act('retry')).status, 409)
    assert.equal((await act('cancel')).status, 202)
    await deliver(system, id)
    for (const what of ['cancel', 'retry']) assert.equal((await act(what)).status, 409)
  })

  test('a subject is one line, so that nobody adds a header', async () => {
    await using system = await openDocumentsOn(open)
    const subject = 'Hello\r\nBcc: everybody@example.org'
    for (const over of [{ subject }, { subject: 'half \ud800 of one' }, { text: '\udc00' }])
      assert.equal((await system.post('/documents/mailings', { ...NEW, ...over })).status, 422)
  })

  test('neither addresses nor texts come to rest in the store', async () => {
    await using system = await openDocumentsOn(open)
    await deliver(system, await sendAll(system))
    using records = openRecords(system.place)
    assert.ok(records.contacts.find(113), 'they are in the records')
    const traces = (text: string) =>
      tracesOf(text, system.folder, system.serverFolder).filter((file) => !file.includes(RECORDS))
    assert.notDeepEqual(traces('documents.mail'), [], 'what is searched holds jobs')
    for (const secret of ['sentinel-text', 'example.org', 'Winter visits', 'resident-'])
      assert.deepEqual(traces(secret), [], secret)
  })

  test('a store that is gone leaves no mailing behind', async () => {
    await using system = await openDocumentsOn(open)
    await system.errand.store[Symbol.asyncDispose]()
    const answer = await system.post('/documents/mailings', NEW)
    assert.equal(answer.status, 503)
    using records = openRecords(system.place)
    assert.deepEqual(records.mailings.latest('', 10), [])
  })
})

test('records that an earlier release made are read, and written on', () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-documents-'))
  const place = { database: join(dir.path, 'documents.db'), uploads: join(dir.path, 'uploads') }
  const id = crypto.randomUUID()
  const old = new DatabaseSync(place.database)
  old.exec(`create table mailing (id text primary key, subject text not null, text text not null,
    at integer not null) strict; insert into mailing values ('${id}', 'Old', 'text', 1)`)
  old.close()
  for (let opened = 0; opened < 2; opened++) {
    using records = openRecords(place)
    assert.partialDeepStrictEqual(records.mailings.find(id), { tenant: '', subject: 'Old' })
    assert.equal(records.mailings.latest('', 5).length, 1)
  }
})
