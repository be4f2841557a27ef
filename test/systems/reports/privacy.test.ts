import assert from 'node:assert/strict'
import { appendFile, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { childrenOf, Installation, until } from '../../support/command.ts'
import { openGround } from '../../support/ground.ts'
import { readStores } from '../../support/stores.ts'
import { SEAL_KEYS } from '../stage.ts'
import { noon, openCarrier, openSource, seed, Send, TaskView } from './setup.ts'

const SENTINEL = '15550142'
const ROWS = 60_000
const many = Array.from({ length: ROWS }, (_, i) => `+${SENTINEL}${String(i).padStart(6, '0')}`)

for (const name of readStores())
  describe(`real processes on ${name}`, () => {
    test('a worker killed midway costs nothing, and no recipient is left anywhere but in the source', async () => {
      await using ground = await openGround(name)
      await using carrier = await openCarrier()
      using source = openSource()
      await using here = new Installation({
        ERRAND_APP: join(import.meta.dirname, '../../../systems/reports/app.ts'),
        ERRAND_SEAL_KEYS: SEAL_KEYS,
        REPORTS_SOURCE: source.folder,
        REPORTS_CARRIER_URL: carrier.url,
        REPORTS_KEEP: '5s',
        ERRAND_LOG_LEVEL: 'trace',
      })
      const store = ground.fresh(here.folder)
      const started = here.startWith({ ERRAND_STORE: store }, 'start')
      const { url = '' } = await started.said('serving')
      const ask = (path: string, init?: RequestInit) => fetch(`${String(url)}${path}`, init)
      const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
        ask(path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        })
      const request = async (headers?: Record<string, string>) =>
        TaskView.parse(await (await post('/reports', { days: 1 }, headers)).json())
      const ended = (id: string, headers: Record<string, string> = {}) =>
        until(async () => {
          const task = TaskView.parse(await (await ask(`/reports/${id}`, { headers })).json())
          return task.status === 'queued' || task.status === 'running' ? undefined : task
        }, 'the report never ended')

      await seed(source.messages, many, 'demo', noon())
      const [broken] = await seed(source.messages, ['+15550142001'], 'bad', noon())
      await appendFile(join(source.folder, 'bad', broken?.file ?? ''), `no +${SENTINEL}009\n`)

      // A send, of which one fails for good; and a report that fails.
      const recipients = ['+15550142001', '+15550142013', '+15550142003']
      const sent = await post('/reports/sends', { template: 'reminder', recipients })
      const send = Send.parse(await sent.json())
      const bad = await request({ 'x-tenant': 'bad' })
      assert.equal((await ended(bad.id, { 'x-tenant': 'bad' })).status, 'failed')
      await until(async () => {
        const { status } = Send.parse(await (await ask(`/reports/sends/${send.id}`)).json())
        return status === 'partial' ? status : undefined
      }, 'the send never ended')

      const { id } = await request()
      await until(
        async () => ((await peek(ask, id)) === 'running' ? true : undefined),
        'the report never began',
      )
      const worker = childrenOf(started.pid).find(({ title }) => title.includes('worker'))
      assert(worker, 'there is no worker')
      process.kill(worker.pid, 'SIGKILL')
      const { status, url: link = '', rows } = await ended(id)
      const file = await ask(link)
      const csv = await file.text()
      assert.deepEqual([status, rows, csv.split(SENTINEL).length - 1], ['complete', ROWS, ROWS])

      const seen = await Promise.all(
        ['/metrics', '/', '/v1/jobs', `/v1/jobs/${bad.id}/attempts`, '/health', '/v1/audit'].map(
          async (path) => (await ask(path)).text(),
        ),
      )
      seen.push(JSON.stringify(started.lines), started.text.join('\n'))
      for (const text of seen) assert.doesNotMatch(text, /15550142/)
      for (const folder of [here.folder, ground.server?.folder ?? here.folder])
        assert.deepEqual(await filesWith(folder, SENTINEL), [])

      // Five seconds stand for seven days.
      await until(
        async () => ((await peek(ask, id)) === 'expired' ? true : undefined),
        'the report never expired',
      )
      await until(
        async () => ((await ask(link)).status === 404 ? true : undefined),
        'the link lives on',
      )
      await until(
        async () => ((await reportsIn(here.folder)).length === 0 ? true : undefined),
        'the file lies there still',
      )
      assert.equal(here.say('verify', '--store', store).status, 0)
    })
  })

async function peek(ask: (path: string) => Promise<Response>, id: string): Promise<string> {
  return TaskView.parse(await (await ask(`/reports/${id}`)).json()).status
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))

/** Without what a killed attempt left, sealed as well, which goes within a day. */
const reportsIn = async (folder: string): Promise<string[]> =>
  (await filesIn(join(folder, 'files'))).filter((path) => !basename(path).startsWith('.'))

async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = []
  for (const path of await filesIn(folder)) {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0))
    if (bytes.includes(text)) found.push(path)
  }
  return found
}
