import { randomUUID } from 'node:crypto'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempDisposableSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { rehearse, type Rehearsal } from 'errand/testing'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { documentsApp } from '../../../systems/documents/app.ts'
import {
  cleanUp,
  fileChain,
  fileTag,
  validateFile,
} from '../../../systems/documents/files/contract.ts'
import { Uploads } from '../../../systems/documents/files/uploads.ts'
import { openRecords } from '../../../systems/documents/records.ts'
import { toTask } from '../../../systems/documents/tasks/task.ts'
import { mailApi } from '../../../systems/documents/stand-in/mail-api.ts'
import { onEachStore } from '../stage.ts'
import { finish, openDocumentsOn, Started } from './stage.ts'

const Steps = z.object({ data: z.array(z.object({ name: z.string(), status: z.string() })) })

onEachStore((open) => {
  test('a file is validated, processed and told of, each by a job of its own on what the one before came to', async () => {
    await using system = await openDocumentsOn(open)
    const id = await system.upload('files?name=notes.txt&notify=ada@example.org', 'one\ntwo\n')
    const { status, result } = await finish(system, id)
    assert.equal(status, 'SUCCESS')
    assert.partialDeepStrictEqual(result, { facts: { type: 'text', bytes: 8, lines: 2 } })
    const { data } = Steps.parse(await system.json(`/documents/tasks/${id}/steps`))
    assert.deepEqual(
      data.map(({ name, status: its }) => `${name} ${its}`),
      ['validate SUCCESS', 'process SUCCESS', 'notify SUCCESS'],
    )
    assert.equal((await system.sent()).count, 1)
  })

  test('a file that is not what its name says goes no further, and the chain says why', async () => {
    await using system = await openDocumentsOn(open)
    const id = await system.upload('files?name=photo.png', 'no picture at all')
    const { status, error } = await finish(system, id)
    assert.equal(status, 'FAILURE')
    assert.deepEqual(error?.message, 'the file is not what its name says')
    const { jobs } = await system.errand.list({ tag: fileTag(id) }, 10)
    assert.deepEqual(
      jobs.map(({ job }) => job),
      [validateFile.name],
    )
    const { data } = Steps.parse(await system.json(`/documents/tasks/${id}/steps`))
    assert.deepEqual(
      data.map((step) => step.status),
      ['FAILURE', 'REVOKED', 'REVOKED'],
    )
    assert.equal((await system.sent()).count, 0)
  })

  test('a file that is sent again under its key is the first one, and another is refused', async () => {
    await using system = await openDocumentsOn(open)
    const send = (body: string, query = '') =>
      system.ask(`/documents/files?name=notes.txt${query}`, {
        method: 'POST',
        headers: { 'idempotency-key': 'once' },
        body,
      })
    const other = '&notify=ada@example.org'
    const answers = [
      await send('one'),
      await send('one'),
      await send('two'),
      await send('one', other),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 409, 409],
    )
    assert.equal(await answers[0]?.text(), await answers[1]?.text())
    assert.equal((await system.errand.list({ job: fileChain.name }, 5)).jobs.length, 1)
    assert.equal(readdirSync(system.place.uploads).length, 1)
  })

  test('a task is there for those whose it is, and for nobody else', async () => {
    await using system = await openDocumentsOn(open)
    const as = (tenant: string) => ({ headers: { 'x-tenant': tenant } })
    const started = await system.ask('/documents/files?name=notes.txt', {
      method: 'POST',
      body: 'one',
      ...as('north'),
    })
    const { task_id: id } = Started.parse(await started.json())
    const statusFor = async (path: string, init: RequestInit) =>
      (await system.ask(`/documents/tasks/${id}${path}`, init)).status
    assert.equal(await statusFor('', as('north')), 200)
    for (const path of ['', '/steps']) assert.equal(await statusFor(path, as('south')), 404)
    assert.equal(await statusFor('/cancel', { method: 'POST', ...as('south') }), 404)
    const list = await system.json('/documents/tasks?kind=file', as('south'))
    assert.deepEqual(list, { data: [], more: false })
  })

  test('a form is refused: its parts would be taken for the file', async () => {
    await using system = await openDocumentsOn(open)
    const body = new FormData()
    body.append('file', new Blob(['one']), 'notes.txt')
    const answer = await system.ask('/documents/files?name=notes.txt', { method: 'POST', body })
    assert.equal(answer.status, 415)
  })

  test('a file that the store refuses is not kept', async () => {
    await using system = await openDocumentsOn(open)
    await system.errand.store[Symbol.asyncDispose]()
    const send = { method: 'POST', body: 'one' }
    assert.equal((await system.ask('/documents/files?name=notes.txt', send)).status, 503)
    assert.deepEqual(readdirSync(system.place.uploads), [])
  })

  test('every night what was kept long enough is removed, and nothing else', async () => {
    await using system = await openDocumentsOn(open)
    using records = openRecords(system.place)
    const { uploads } = records
    const [old, fresh] = [randomUUID(), randomUUID()]
    uploads.add({ id: old, name: 'old.txt', notify: undefined }, Buffer.from('old'))
    uploads.add({ id: fresh, name: 'new.txt', notify: undefined }, Buffer.from('new'))
    uploads.ended(old, 0)
    const at = Date.now()
    const worker = await system.work()
    const { id } = await system.errand.schedules.run('documents.clean-up')
    assert.deepEqual((await system.errand.ended(id, 20_000)).result, { removed: 0 })
    await worker.stop()
    const longAgo = at - 31 * 86_400_000
    age(system.place.database, old, longAgo)
    // Cut off before its row was written; and what is not ours.
    leave(system.place.uploads, `${randomUUID()}.part`, longAgo)
    leave(system.place.uploads, 'NOTES.txt', longAgo)
    mkdirSync(join(system.place.uploads, 'lost+found'))
    const again = await system.work()
    const { id: second } = await system.errand.schedules.run('documents.clean-up')
    assert.deepEqual((await system.errand.ended(second, 20_000)).result, { removed: 2 })
    await again.stop()
    assert.equal(uploads.find(old), undefined)
    const left = [fresh, 'NOTES.txt', 'lost+found']
    assert.deepEqual(new Set(readdirSync(system.place.uploads)), new Set(left))
  })

  test('two in the morning in Perth is six in the evening in UTC, of the day before', async () => {
    await using system = await openDocumentsOn(open)
    const worker = await system.work()
    const { cron, zone, nextAt } = await system.errand.schedules.get('documents.clean-up')
    await worker.stop()
    assert.deepEqual([cron, zone], ['0 2 * * *', 'Australia/Perth'])
    assert.match(nextAt ?? '', /T18:00:00.000Z$/)
  })
})

test('a mail API whose answer is lost is asked again a minute later, and one mail is sent', async () => {
  await using mails = await openStandIn(mailApi(), 0)
  using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-documents-'))
  const place = { database: join(dir.path, 'documents.db'), uploads: join(dir.path, 'uploads') }
  await using errand = await rehearse(documentsApp({ ...place, mailUrl: mails.url }))
  using records = openRecords(place)
  const fileId = randomUUID()
  records.uploads.add({ id: fileId, name: 'notes.txt', notify: undefined }, Buffer.from('one'))
  await fetch(`${mails.url}/stand-in/script`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ path: '/mails', lose: 'reply', times: 1 }]),
  })
  const { id } = await errand.enqueue(fileChain, { fileId })
  await errand.drain()
  const task = await toTask(await errand.job(id), {
    list: (...asked) => errand.list(...asked),
    link: () => '',
  })
  assert.deepEqual([task.status, task.progress?.status], ['RETRY', 'notifying'])
  assert.equal(await removedNow(errand), 0, 'a file that is still needed')
  await errand.advance('1m')
  assert.equal((await errand.job(id)).state, 'completed')
  assert.equal(await removedNow(errand), 1)
  const sent: unknown = await (await fetch(`${mails.url}/mails`)).json()
  assert.partialDeepStrictEqual(sent, { count: 1, repeated: 1 })
})

test('a file stays where its task is tried again, whenever its first end is heard of', async () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-documents-'))
  const place = { database: join(dir.path, 'documents.db'), uploads: join(dir.path, 'uploads') }
  using records = openRecords(place)
  const { uploads } = records
  const [first, again, late] = [10, 11, Date.now() + 31 * 86_400_000]
  const add = () => {
    const id = randomUUID()
    uploads.add({ id, name: 'notes.txt', notify: undefined }, Buffer.from('one'))
    return id
  }
  const id = add()
  uploads.needed(id, again)
  uploads.ended(id, first)
  assert.equal(uploads.removeBefore(Date.now() + 1), 0)
  uploads.ended(id, again)
  assert.equal(uploads.removeBefore(Date.now() + 1), 1)
  add()
  assert.equal(uploads.removeBefore(late), 1, 'one that nobody speaks of for so long')
})

async function removedNow(errand: Rehearsal): Promise<number> {
  const { id } = await errand.enqueue(cleanUp, { olderThanMs: 0 })
  await errand.drain()
  return (await errand.result(cleanUp, id)).removed
}

function leave(folder: string, name: string, at: number): void {
  const path = join(folder, name)
  writeFileSync(path, '')
  utimesSync(path, at / 1000, at / 1000)
}

/** Has an upload come at another moment. */
function age(location: string, id: string, at: number): void {
  const database = new DatabaseSync(location)
  database.prepare('update upload set at = ? where id = ?').run(at, id)
  database.close()
}

test('what another server laid down just now under a key is nobody else’s', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'errand-uploads-'))
  using database = new DatabaseSync(':memory:')
  const uploads = new Uploads(database, folder.path)
  const [id, name] = [randomUUID(), 'notes.txt']
  writeFileSync(join(folder.path, id), 'one')
  const add = (body: string) => uploads.add({ id, name, notify: undefined }, Buffer.from(body))
  assert.throws(() => add('two'), { code: 'ID_TAKEN' })
  assert.deepEqual([add('one'), add('one')], [true, false])
  assert.deepEqual(readdirSync(folder.path), [id])
  uploads.ended(id, 1)
  assert.equal(add('one'), false)
  assert.equal(uploads.removeBefore(Date.now() + 1), 1, 'who asks again needs it no longer')
})
