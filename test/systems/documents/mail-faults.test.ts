import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Hono } from 'hono'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { MailApi } from '../../../systems/documents/mails/mail-api.ts'
import { mailApi } from '../../../systems/documents/stand-in/mail-api.ts'
import { Installation, until } from '../../support/command.ts'
import { openGround } from '../../support/ground.ts'
import { readStores } from '../../support/stores.ts'

const APP = join(import.meta.dirname, '../../../systems/documents/app.ts')
const MAILS = 100
/** Nothing but settings: what takes minutes takes moments. */
const QUICK = {
  ERRAND_LEASE: '2s',
  ERRAND_RENEW: '500ms',
  ERRAND_SWEEP: '300ms',
  DOCUMENTS_RETRY: '200ms',
  DOCUMENTS_MAIL_RATE: '100/s',
}
const MISHAPS = [
  { method: 'POST', path: '/mails', skip: 5, lose: 'reply', times: 10 },
  { method: 'POST', path: '/mails', skip: 20, status: 503, times: 5 },
  { method: 'POST', path: '/mails', skip: 40, lose: 'request', times: 3 },
]

const View = z.object({ mailing_id: z.uuid(), status: z.string(), sent: z.int(), failed: z.int() })
const Count = z.object({ count: z.int(), repeated: z.int() })
const json = async (url: string, init?: RequestInit): Promise<unknown> =>
  (await fetch(url, init)).json()
const body = (value: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

test('a mail API that never answers is waited for no longer than is set', async () => {
  const { promise, resolve: release } = Promise.withResolvers<Response>()
  await using mails = await openStandIn(
    new Hono().post('/mails', () => promise),
    0,
  )
  const api = new MailApi(mails.url, { timeoutMs: 50 })
  const mail = { to: 'ada@example.org', subject: 'Hello', text: 'There' }
  await assert.rejects(api.send(mail, 'one', new AbortController().signal), {
    name: 'TimeoutError',
  })
  release(new Response())
})

for (const store of readStores())
  test(`a worker is killed and the mail API loses its replies: everybody gets one mail (${store})`, async () => {
    await using ground = await openGround(store)
    await using mails = await openStandIn(mailApi(), 0)
    const env = { ...QUICK, ERRAND_APP: APP, DOCUMENTS_MAIL_URL: mails.url }
    await using here = new Installation(env)
    const place = { ERRAND_STORE: ground.fresh(here.folder) }
    const [served, doomed] = [here.startWith(place, 'serve'), here.startWith(place, 'worker')]
    const api = `${String((await served.said('serving')).url)}/documents`
    await doomed.said('worker started')
    await fetch(`${mails.url}/stand-in/script`, { method: 'PUT', ...body(MISHAPS) })

    const mailing = { subject: 'Hello', text: 'There', first: MAILS }
    const answer = await json(`${api}/mailings`, { method: 'POST', ...body(mailing) })
    const { mailing_id: id } = View.parse(answer)
    const count = async () => Count.parse(await json(`${mails.url}/mails`))
    await until(async () => ((await count()).count > MAILS / 4 ? true : undefined), 'none was sent')
    doomed.signal('SIGKILL')
    await here.startWith(place, 'worker').said('worker started')

    const over = await until(async () => {
      const view = View.parse(await json(`${api}/mailings/${id}`))
      return view.status === 'sending' ? undefined : view
    }, 'it never ended')
    assert.deepEqual([over.status, over.sent, over.failed], ['completed', MAILS, 0])
    const sent = await count()
    assert.equal(sent.count, MAILS)
    assert.ok(sent.repeated >= 10, 'what was lost was asked for again')
    assert.match(here.say('verify', '--store', place.ERRAND_STORE).stdout, /accounted for/)
  })
