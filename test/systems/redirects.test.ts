import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { openStandIn } from '../../systems/common/stand-in.ts'
import { Llm } from '../../systems/guidelines/llm.ts'
import { MailApi } from '../../systems/documents/mails/mail-api.ts'
import { Backend } from '../../systems/payments/backend.ts'
import { Carrier } from '../../systems/reports/carrier.ts'

const MAIL = { to: 'ada@example.org', subject: 'Hello', text: 'There' }

/** What is asked of whoever stands at this URL. */
const ASKED: Record<string, (url: string) => Promise<unknown>> = {
  message: (url) =>
    new Carrier(url).deliver(
      { to: '+15550142001', template: 'hello' },
      { key: 'one', signal: soon() },
    ),
  mail: (url) => new MailApi(url).send(MAIL, 'one', soon()),
  payment: (url) => new Backend(url, 5000).confirm('1'),
  guideline: (url) =>
    new Llm({ url, model: 'm', timeoutMs: 5000, key: () => 'sk-one', keyGraceMs: 1 }).summarise(
      'private',
      { key: 'one', signal: soon() },
    ),
}
const soon = () => AbortSignal.timeout(5000)

for (const [what, ask] of Object.entries(ASKED))
  test(`a ${what} follows nobody who leads elsewhere, and has not arrived there`, async () => {
    const own = new Hono()
      .all('/elsewhere', (c) => c.json({ id: '1' }))
      .all('*', (c) => c.redirect('/elsewhere', 307))
    await using site = await openStandIn(own, 0)
    await assert.rejects(ask(site.url), /307/)
    const calls = await (await fetch(`${site.url}/stand-in/calls`)).text()
    assert.doesNotMatch(calls, /elsewhere/)
  })
