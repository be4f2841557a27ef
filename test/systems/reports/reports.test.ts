import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { nightly, report } from '../../../systems/reports/contract.ts'
import { eventually } from '../../support/until.ts'
import { onEachStore } from '../stage.ts'
import { Download, Mine, noon, setUp, TaskView } from './setup.ts'

const PHONES = ['+15550142001', '+15550142002', '+15550142003']
const DAY_MS = 86_400_000

onEachStore((open) => {
  test('a report is asked for, made and downloaded as CSV under its name; its link is signed', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    const answer = await at.post('/reports', { days: 3, filename: 'mine.csv' })
    assert.equal(answer.status, 202)
    assert.equal(answer.headers.get('retry-after'), '2')
    const asked = TaskView.parse(await answer.json())
    assert.equal(asked.status, 'queued')
    await at.finish(asked.id)
    const { status, rows, bytes, url = '' } = await at.task(asked.id)
    assert.deepEqual([status, rows], ['complete', 3])
    const file = await at.ask(url)
    assert.match(file.headers.get('content-disposition') ?? '', /^attachment; filename="mine\.csv"/)
    const csv = await file.text()
    assert.equal(Buffer.byteLength(csv), bytes)
    const [head, first, ...others] = csv.trimEnd().split('\r\n')
    assert.equal(head, 'Accepted,Recipient,Template,Sent as,Status,Status since')
    assert.equal(first, `${new Date(noon()).toISOString()},${PHONES[0]},reminder,batch,accepted,`)
    assert.equal(others.length, 2)
    assert.equal((await at.ask(url.replace(/.$/, '_'))).status, 403)
  })

  test('only 1, 3, 5 and 7 days can be asked for, and nothing but what is named', async () => {
    await using at = await setUp(open)
    for (const days of [2, 0, 8, 'x', null, 1.5, '', [3]])
      assert.equal((await at.post('/reports', { days })).status, 422, JSON.stringify(days))
    for (const days of ['2', '0', '8', 'x', '', '0x7', '3&phone=%2B15550142001'])
      assert.equal((await at.post(`/reports/download/messages?days=${days}`, {})).status, 422)
    for (const more of [{ phone: PHONES[0] }, { filename: '15550142077.csv' }]) {
      const refused = await at.post('/reports', { days: 3, ...more })
      assert.equal(refused.status, 422)
      assert.doesNotMatch(await refused.text(), /15550142/)
    }
    const input = { days: 3, origin: 'all', from: '', to: '', filename: 'a.csv', phone: PHONES[0] }
    const refused = await at.post('/v1/jobs', { job: report.name, input })
    assert.equal(refused.status, 422)
    assert.doesNotMatch(await refused.text(), /15550142/)
    assert.deepEqual((await at.errand.list({}, 10)).jobs, [])
  })

  test('who bears a name that is none is nobody’s visitor', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    for (const header of ['x-tenant', 'x-user'])
      for (const name of ['dept 7', 'dept/7', '..', '.foo', 'x'.repeat(65)]) {
        const answer = await at.ask('/reports/mine', { headers: { [header]: name } })
        assert.equal(answer.status, 400, name)
      }
  })

  test('while no worker lives, whoever watches is told that no reports are made', async () => {
    await using at = await setUp(open)
    assert.equal((await at.ask('/reports/health')).status, 503)
    const worker = await at.work()
    assert.deepEqual(await at.json('/reports/health'), { status: 'ok', workers: 1 })
    await at.errand.pauseQueue('reports', { reason: 'inventory' })
    assert.equal((await at.ask('/reports/health')).status, 503)
    await at.errand.resumeQueue('reports')
    await worker.stop()
    const elsewhere = await at.work({ queues: ['sends'] })
    assert.equal((await at.ask('/reports/health')).status, 503)
    await elsewhere.stop()
  })

  test('who joins a report of a colleague finds it among their own, in whatever browser', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    const as = (user: string) => ({ 'x-tenant': 'demo', 'x-user': user })
    const { id } = await at.request(3, {}, as('ann'))
    assert.equal((await at.request(3, {}, as('bob'))).id, id)
    const mine = async (user: string) =>
      Mine.parse(await at.json('/reports/mine', { headers: as(user) })).data.map((one) => one.id)
    for (const user of ['ann', 'bob']) assert.deepEqual(await mine(user), [id], user)
    assert.deepEqual(await mine('cy'), [])
    await at.messages.sweep(Date.now() + 86_400_000)
    assert.deepEqual(await mine('bob'), [])
  })

  test('the same request joins what is made and finds what is there; another service has its own', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    const asked = await Promise.all(Array.from({ length: 10 }, () => at.request(3)))
    const [id = ''] = new Set(asked.map((task) => task.id))
    assert.equal(new Set(asked.map((task) => task.id)).size, 1)
    assert.notEqual((await at.request(3, {}, { 'x-tenant': 'other' })).id, id)
    await at.finish(id)
    const found = await at.post('/reports', { days: 3 })
    assert.equal(found.status, 200)
    assert.equal(TaskView.parse(await found.json()).id, id)
    assert.equal((await at.errand.list({ job: report.name, tenant: 'demo' }, 9)).jobs.length, 1)
  })

  test('asked for and asked about by the same request, as downloads elsewhere are', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    const ask = async () =>
      Download.parse(await at.json('/reports/download/messages/?days=5', { method: 'POST' }))
    const { status, task_id } = await ask()
    assert.equal(status, 'queued')
    for (let i = 0; i < 5; i++) assert.deepEqual(await ask(), { status, task_id })
    await at.finish(task_id)
    const done = await ask()
    assert.deepEqual([done.status, done.task_id], ['complete', task_id])
    assert.equal((await at.ask(done.url ?? '')).status, 200)
  })

  test('what another service asked for does not exist; what one asked for is listed', async () => {
    await using at = await setUp(open)
    const { id } = await at.request(3, {}, { 'x-tenant': 'a', 'x-user': 'ann' })
    const mine = async (headers: Record<string, string>, query = '') =>
      Mine.parse(await at.json(`/reports/mine${query}`, { headers })).data.map((task) => task.id)
    assert.deepEqual(await mine({ 'x-tenant': 'a', 'x-user': 'ann' }), [id])
    assert.deepEqual(await mine({ 'x-tenant': 'a', 'x-user': 'bob' }), [])
    assert.deepEqual(await mine({ 'x-tenant': 'a', 'x-user': 'bob' }, `?ids=${id}`), [id])
    assert.deepEqual(await mine({ 'x-tenant': 'b', 'x-user': 'ann' }, `?ids=${id}`), [])
    const other = await at.ask(`/reports/${id}`, { headers: { 'x-tenant': 'b' } })
    assert.equal(other.status, 404)
  })

  test('an unchanged answer is 304', async () => {
    await using at = await setUp(open)
    const { id } = await at.request(1)
    for (const path of [`/reports/${id}`, '/reports/mine']) {
      const etag = (await at.ask(path)).headers.get('etag') ?? ''
      const again = await at.ask(path, { headers: { 'if-none-match': etag } })
      assert.deepEqual([again.status, await again.text()], [304, ''])
    }
  })

  test('five reports of one person may be on their way; the sixth is refused until one is there', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    const wishes = [1, 3, 5].flatMap((days) => [
      { days, origin: 'all' },
      { days, origin: 'batch' },
    ])
    const answers = await Promise.all(wishes.map(async (wish) => at.post('/reports', wish)))
    const refused = answers.filter(({ status }) => status !== 202)
    assert.deepEqual(
      refused.map(({ status }) => status),
      [429],
    )
    assert.ok(refused[0]?.headers.get('retry-after'))
    const accepted = wishes[answers.findIndex(({ status }) => status === 202)]
    assert.equal((await at.post('/reports', accepted)).status, 202, 'one may join one’s own')
    const other = await at.post('/reports', { days: 7 }, { 'x-user': 'colleague' })
    assert.equal(other.status, 202)
    const { jobs } = await at.errand.list({ job: report.name }, 9)
    await at.finish(...jobs.map(({ id }) => id))
    assert.equal((await at.post('/reports', { days: 7, origin: 'batch' })).status, 202)
  })

  test('a report that is being made counts among one’s own', async () => {
    await using at = await setUp(open, { perOwner: 1 })
    const [place] = await at.seed(PHONES)
    const file = join(at.source, 'demo', place?.file ?? '')
    await rm(file)
    // Whoever opens a pipe to read waits until somebody opens it to write.
    spawnSync('mkfifo', [file])
    const { id } = await at.request(1)
    const worker = await at.work()
    await eventually(async () => (await at.task(id)).status === 'running')
    const { status } = await at.post('/reports', { days: 3 })
    await writeFile(file, '')
    assert.equal(status, 429)
    await at.errand.ended(id, 20_000)
    await worker.stop()
    assert.equal((await at.post('/reports', { days: 3 })).status, 202)
  })

  test('too large is refused before it is enqueued, with how large; a paused queue with its reason', async () => {
    await using at = await setUp(open, { rowsMax: 2 })
    await at.seed(PHONES)
    assert.match(await (await at.ask('/reports/messages?days=1')).text(), /"too_large"/)
    const large = await at.post('/reports', { days: 1 })
    assert.equal(large.status, 403)
    assert.match(await large.text(), /3 rows; 2 at most/)
    await at.errand.pauseQueue(report.queue, { reason: 'Moving house until noon.' })
    const paused = await at.post('/reports', { days: 1, origin: 'one-off' })
    assert.equal(paused.status, 503)
    assert.match(await paused.text(), /Moving house until noon/)
    assert.deepEqual((await at.errand.list({ job: report.name }, 9)).jobs, [])
  })

  test('a failure stays one until another try is asked for, and says nothing of what was read', async () => {
    await using at = await setUp(open)
    const [place] = await at.seed(PHONES)
    const file = join(at.source, 'demo', place?.file ?? '')
    await appendFile(file, 'broken +15550142009\n')
    const { id } = await at.request(1)
    await at.finish(id)
    for (let i = 0; i < 2; i++) assert.equal((await at.task(id)).status, 'failed')
    assert.equal((await at.request(1)).status, 'failed')
    assert.doesNotMatch(await (await at.ask(`/v1/jobs/${id}`)).text(), /15550142/)
    await rm(file)
    await at.seed(PHONES)
    const again = await at.request(1, { again: true })
    assert.deepEqual([again.id, again.status], [id, 'queued'])
    await at.finish(id)
    assert.equal((await at.task(id)).rows, 3)
  })

  test('nothing to report is an outcome: no file, and the one of an earlier window goes', async () => {
    await using at = await setUp(open, { step: '1ms' })
    await at.seed(PHONES)
    const full = await at.request(3)
    await at.finish(full.id)
    const { url = '' } = await at.task(full.id)
    assert.equal((await at.ask(url)).status, 200)
    await rm(join(at.source, 'demo'), { recursive: true })
    const none = await at.request(3)
    await at.finish(none.id)
    const { status, empty, url: nothing } = await at.task(none.id)
    assert.deepEqual([status, empty, nothing], ['complete', true, undefined])
    assert.equal((await at.ask(url)).status, 404)
    assert.deepEqual(await filesIn(join(at.folder, 'files')), [])
  })

  test('a report that would be too large is not made at night either', async () => {
    await using at = await setUp(open, { rowsMax: 2 })
    await at.seed(PHONES)
    await at.seed(PHONES.slice(0, 2), 'small')
    const run = await at.errand.enqueue(nightly, {})
    await at.finish(run.id)
    const { jobs } = await at.errand.list({ job: report.name }, 20)
    assert.deepEqual(new Set(jobs.map(({ tenant }) => tenant)), new Set(['small']))
  })

  test('every night the four reports of each active service are made, which whoever asks then finds', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES, 'a')
    await at.seed(PHONES, 'b')
    await at.seed(PHONES, '10000001')
    await at.seed(PHONES, 'gone', noon() - 12 * DAY_MS)
    const run = await at.errand.enqueue(nightly, {})
    const worker = await at.work()
    await at.errand.ended(run.id, 20_000)
    const { jobs } = await at.errand.list({ job: report.name }, 20)
    for (const { id } of jobs) await at.errand.ended(id, 20_000)
    await worker.stop()
    const owners = jobs.map(({ tenant = '' }) => tenant).toSorted((a, b) => a.localeCompare(b))
    assert.deepEqual(owners.join(' '), '10000001 10000001 10000001 10000001 a a a a b b b b')
    for (const days of [1, 3, 5, 7]) {
      const found = await at.request(days, {}, { 'x-tenant': 'a' })
      assert.deepEqual([found.status, found.rows], ['complete', 3])
    }
    assert.equal((await at.errand.schedules.list()).length, 2)
  })

  test('verify finds every report accounted for', async () => {
    await using at = await setUp(open)
    const { id } = await at.request(1)
    await at.finish(id)
    assert.deepEqual(await at.errand.verify(), [])
  })
})

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])).filter((one) =>
    one.isFile(),
  )
