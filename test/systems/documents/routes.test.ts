import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { z } from 'zod'
import { documentPdf } from '../../../systems/documents/contract.ts'
import { onEachStore } from '../stage.ts'
import { List, POST, Started, Succeeded } from './setup.ts'
import { type Documents as System, openDocumentsOn } from './stage.ts'

const UNKNOWN = '00000000-0000-7000-8000-000000000000'

const request = async ({ json }: System, id: number): Promise<string> => {
  return Started.parse(await json(`/documents/${id}/pdf`, POST)).task_id
}

/** Runs a worker until this task has ended. */
async function finish({ errand, work }: System, taskId: string): Promise<void> {
  const worker = await work()
  await errand.ended(taskId, 20_000)
  await worker.stop()
}

onEachStore((open) => {
  test('a request answers 202 with a task id that can be asked about at once', async () => {
    await using system = await openDocumentsOn(open)
    const answer = await system.ask('/documents/42/pdf', POST)
    assert.equal(answer.status, 202)
    const { task_id } = Started.parse(await answer.json())
    const task = await system.json(`/documents/tasks/${task_id}`)
    assert.deepEqual(task, { task_id, status: 'PENDING', result: null })
  })

  test('a second request joins the one in progress; another document has its own', async () => {
    await using system = await openDocumentsOn(open)
    const first = await request(system, 7)
    assert.equal(await request(system, 7), first)
    assert.notEqual(await request(system, 8), first)
  })

  test('only the id of a document travels', async () => {
    await using system = await openDocumentsOn(open)
    const [job] = await system.errand.store.find([await request(system, 7)])
    assert.equal(Buffer.from(job?.input ?? []).toString(), '{"documentId":7}')
  })

  test('a finished task has a result whose link downloads the PDF', async () => {
    await using system = await openDocumentsOn(open)
    const taskId = await request(system, 1)
    await finish(system, taskId)
    const { result } = Succeeded.parse(await system.json(`/documents/tasks/${taskId}`))

    const download = await system.ask(result.url)
    assert.equal(download.status, 200)
    assert.equal(download.headers.get('content-type'), 'application/pdf')
    const pdf = Buffer.from(await download.arrayBuffer())
    assert.equal(pdf.length, result.bytes)
    assert.match(pdf.toString('latin1'), /^%PDF-/)
    assert.match(pdf.toString('latin1'), new RegExp(`/Count ${result.pages}\\b`))
  })

  test('a PDF asked for is made within the wait, and the next request serves it without a job', async () => {
    await using system = await openDocumentsOn(open)
    const worker = await system.work()
    const first = await system.ask('/documents/3/pdf?wait=20')
    assert.equal(first.status, 302)
    await worker.stop()

    const second = await system.ask('/documents/3/pdf')
    assert.equal(second.status, 302)
    const download = await system.ask(second.headers.get('location') ?? '')
    assert.match(await download.text(), /^%PDF-/)
    assert.equal((await system.errand.list({ job: documentPdf.name }, 10)).jobs.length, 1)
  })

  test('a PDF that is not there in time is answered as started', async () => {
    await using system = await openDocumentsOn(open)
    const answer = await system.ask('/documents/3/pdf?wait=0.05')
    assert.equal(answer.status, 202)
    assert.equal(Started.parse(await answer.json()).task_id, await request(system, 3))
  })

  test('while a PDF is made again, the one that is there is served', async () => {
    await using system = await openDocumentsOn(open)
    await finish(system, await request(system, 3))
    await request(system, 3)
    assert.equal((await system.ask('/documents/3/pdf')).status, 302)
  })

  test('a task that failed says name and message, no stack, and the document is not in progress', async () => {
    await using system = await openDocumentsOn(open)
    const taskId = await request(system, 50)
    await finish(system, taskId)
    assert.deepEqual(await system.json(`/documents/tasks/${taskId}`), {
      task_id: taskId,
      status: 'FAILURE',
      result: null,
      error: { name: 'FatalError', message: 'the document has no text yet' },
    })
    assert.equal(await statusOf(system, 50), 'failed')
    assert.notEqual(await request(system, 50), taskId, 'it can be tried again')
  })

  test('a document deleted after the request fails without more attempts', async () => {
    await using system = await openDocumentsOn(open)
    const taskId = await request(system, 9)
    system.documents.remove(9)
    await finish(system, taskId)
    const { state, attempt, error } = await system.errand.job(taskId)
    assert.deepEqual([state, attempt, error?.name], ['failed', 1, 'FatalError'])
  })

  test('a failed PDF is told to whoever waits for it', async () => {
    await using system = await openDocumentsOn(open)
    const worker = await system.work()
    const answer = await system.ask('/documents/50/pdf?wait=20')
    await worker.stop()
    assert.equal(answer.status, 409)
    const problem = z.looseObject({ task_id: z.uuid() }).parse(await answer.json())
    const detail = 'The PDF could not be made: the document has no text yet'
    assert.partialDeepStrictEqual(problem, { code: 'JOB_FAILED', detail })
    assert.equal((await system.errand.job(problem.task_id)).state, 'failed')
  })

  test('a PDF whose request was taken in without an answer is in the list all the same', async () => {
    await using system = await openDocumentsOn(open)
    await finish(system, (await system.errand.enqueue(documentPdf, { documentId: 4 })).id)
    assert.equal(await statusOf(system, 4), 'ready')
  })

  test('the list derives none, generating, ready and failed from the jobs', async () => {
    await using system = await openDocumentsOn(open)
    assert.equal(await statusOf(system, 2), 'none')
    const taskId = await request(system, 2)
    assert.equal(await statusOf(system, 2), 'generating')
    await finish(system, taskId)
    assert.equal(await statusOf(system, 2), 'ready')
    await system.errand.cancel(await request(system, 2))
    assert.equal(await statusOf(system, 2), 'failed')
  })

  test('the list names a task to those whose it is', async () => {
    await using system = await openDocumentsOn(open)
    const as = (tenant: string) => ({ headers: { 'x-tenant': tenant } })
    const asked = await system.ask('/documents/7/pdf', { ...POST, ...as('north') })
    const { task_id: id } = Started.parse(await asked.json())
    const shown = async (tenant: string) => {
      const { data } = List.parse(await system.json('/documents/list', as(tenant)))
      return data.find((one) => one.id === 7)
    }
    assert.partialDeepStrictEqual(await shown('north'), { status: 'generating', task_id: id })
    const others = await shown('south')
    assert.deepEqual([others?.status, others?.in_progress], ['generating', true])
    assert.equal(others?.task_id, undefined)
  })

  test('unknown documents and tasks are 404, and so are ids of other jobs', async () => {
    await using system = await openDocumentsOn(open)
    const { id: foreign } = await system.errand.enqueue(
      { ...documentPdf, name: 'other.job' },
      { documentId: 1 },
    )
    const gets = ['/99/pdf', '/nine/pdf', `/tasks/${UNKNOWN}`, '/tasks/none', `/tasks/${foreign}`]
    for (const path of gets) await assertMissing(system, path)
    for (const path of ['/99/pdf', '/99/pdf/sync']) await assertMissing(system, path, POST)
  })

  test('a kind that is none is refused, whatever objects have', async () => {
    await using system = await openDocumentsOn(open)
    for (const kind of ['nope', '__proto__', 'toString'])
      assert.equal((await system.ask(`/documents/tasks?kind=${kind}`)).status, 400)
  })

  test('records that another holds for long are 503, not a mistake of ours', async () => {
    await using system = await openDocumentsOn(open)
    using other = new DatabaseSync(system.place.database)
    other.exec('begin immediate')
    const answer = await system.ask('/documents/7/pdf', POST)
    assert.deepEqual([answer.status, answer.headers.has('retry-after')], [503, true])
    other.exec('rollback')
    assert.equal((await system.ask('/documents/7/pdf', POST)).status, 202)
  })

  test('a wait that is no number of seconds is refused before anything is enqueued', async () => {
    await using system = await openDocumentsOn(open)
    const answer = await system.ask('/documents/1/pdf?wait=soon')
    assert.equal(answer.status, 400)
    assert.deepEqual((await system.errand.list({}, 10)).jobs, [])
  })

  test('the sync variant answers with the same PDF and leaves no job', async () => {
    await using system = await openDocumentsOn(open)
    const answer = await system.ask('/documents/1/pdf/sync', POST)
    assert.equal(answer.headers.get('content-type'), 'application/pdf')
    assert.match(await answer.text(), /^%PDF-/)
    assert.deepEqual((await system.errand.list({}, 10)).jobs, [])
  })
})

async function statusOf({ json }: System, id: number): Promise<string> {
  const { data } = List.parse(await json('/documents/list'))
  return data.find((row) => row.id === id)?.status ?? 'missing'
}

async function assertMissing({ ask }: System, path: string, init?: RequestInit): Promise<void> {
  const answer = await ask(`/documents${path}`, init)
  assert.equal(answer.status, 404, path)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, path)
}
