import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Route } from 'playwright-core'
import { browse, focusIn } from '../browser.ts'
import { onEachStore } from '../stage.ts'
import { openCarrier, setUp } from './setup.ts'

const PHONES = ['+15550142001', '+15550142002']

onEachStore((open, name) => {
  // What a browser sees is the same on each store, and browsers are slow.
  if (name !== 'sqlite') return

  test('the page and what it loads stand apart, under a policy that allows nothing from elsewhere', async () => {
    await using at = await setUp(open)
    const answer = await at.ask('/reports/')
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
    for (const file of ['page.css', 'page.js', 'widget.js', 'widget.css', 'look.css'])
      assert.equal((await at.ask(`/reports/${file}`)).status, 200)
  })

  test('two reports are pending in the overlay, also after a reload, and turn into links', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    for (const days of ['1 day', '7 days']) {
      await page.locator('.choices label', { hasText: days }).click()
      await page.getByText('2 messages from').waitFor()
      await page.getByRole('button', { name: 'Make the report' }).click()
      await item(page, days).getByText('Waiting to start').waitFor()
    }
    await page.getByText('Your reports (2 on the way)').waitFor()
    await page.reload()
    for (const days of ['1 day', '7 days'])
      await item(page, days).getByText('Waiting to start').waitFor()
    const worker = await at.work()
    for (const days of ['1 day', '7 days']) {
      const link = item(page, days).getByRole('link', { name: 'Download' })
      const download = page.waitForEvent('download')
      await link.click()
      assert.match((await download).suggestedFilename(), /^messages-demo-[17]d-.*\.csv$/)
    }
    await worker.stop()
    await item(page, '1 day').getByRole('button', { name: 'Remove' }).click()
    await page.reload()
    await item(page, '7 days').getByRole('link', { name: 'Download' }).waitFor()
    assert.equal(await item(page, '1 day').count(), 0)
    assert.deepEqual(seen.complaints, [])
  })

  test('a failure is shown and can be tried again', async () => {
    await using at = await setUp(open)
    const [place] = await at.seed(PHONES)
    const file = join(at.source, 'demo', place?.file ?? '')
    const whole = await readFile(file)
    await appendFile(file, 'broken\n')
    await using seen = await browse(at.server, '/reports/#try')
    const row = item(seen.page, '7 days')
    await row.getByText('Waiting to start').waitFor()
    const worker = await at.work()
    await row.getByText('This report could not be made').waitFor()
    assert.equal(await row.locator('progress').count(), 0)
    await writeFile(file, whole)
    await row.getByRole('button', { name: 'Try again' }).click()
    await row.getByRole('link', { name: 'Download' }).waitFor()
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('one that expired can be made again; nothing to report is said before it is asked for', async () => {
    await using at = await setUp(open)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    await page.getByText('There are no messages').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Make the report' }).isDisabled())
    await at.seed(PHONES)
    const asked = await at.request(3)
    await at.finish(asked.id)
    const { artifacts = [] } = await at.errand.job(asked.id)
    await page.reload()
    await item(page, '3 days').getByRole('link', { name: 'Download' }).waitFor()
    await at.errand.store.forget(artifacts.map(({ file }) => ({ id: asked.id, file })))
    await page.reload()
    await item(page, '3 days').getByText('Expired').waitFor()
    await item(page, '3 days').getByRole('button', { name: 'Generate again' }).click()
    await item(page, '3 days').getByText('Waiting to start').waitFor()
  })

  test('reports that are too many are told of, and take their place in no list', async () => {
    await using at = await setUp(open, { perOwner: 1 })
    await at.seed(PHONES)
    await at.request(3)
    await using seen = await browse(at.server, '/reports/#try')
    const refused = item(seen.page, '7 days').getByText('Several reports of yours are on their way')
    await refused.waitFor()
    await seen.page.goto(`${seen.url}/reports/`)
    await item(seen.page, '3 days').waitFor()
    assert.equal(await item(seen.page, '7 days').count(), 0)
  })

  test('messages are sent from the page and counted', async () => {
    await using carrier = await openCarrier()
    await using at = await setUp(open, { carrierUrl: carrier.url })
    await using seen = await browse(at.server, '/reports/')
    const worker = await at.work()
    await seen.page.getByRole('button', { name: 'Send' }).click()
    await seen.page.getByText('2 of 3 sent, 1 refused').waitFor()
    await seen.page.getByLabel('Phone numbers').fill('+15550142001\n0555')
    await seen.page.getByRole('button', { name: 'Send' }).click()
    await seen.page.getByText('Line 2 is no phone number').waitFor()
    await worker.stop()
  })

  test('whoever works by keyboard stays where they were, whatever becomes of the pressed button', async () => {
    await using carrier = await openCarrier()
    await using at = await setUp(open, { carrierUrl: carrier.url })
    await at.seed(PHONES)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    await page.getByText('2 messages from').waitFor()
    await page.getByRole('button', { name: 'Make the report' }).press('Enter')
    await item(page, '7 days').getByText('Waiting to start').waitFor()
    assert.equal(await focusIn(page), 'BUTTON')
    await page.getByRole('button', { name: 'Send' }).press('Enter')
    await page.getByText('0 of 3 sent').waitFor()
    assert.equal(await focusIn(page), 'BUTTON')
    await item(page, '7 days').getByRole('button', { name: 'Remove' }).press('Enter')
    await item(page, '7 days').waitFor({ state: 'detached' })
    assert.equal(await focusIn(page), 'ERRAND-REPORTS')
    await page.getByLabel('Template').focus()
    await page.getByRole('button', { name: 'Your reports' }).waitFor({ state: 'hidden' })
  })

  test('a reply that is lost is no second send, and no second row beside the report that is there', async () => {
    await using carrier = await openCarrier()
    await using at = await setUp(open, { carrierUrl: carrier.url })
    await at.seed(PHONES)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    const lost = async (route: Route) => {
      await route.fetch()
      await route.abort()
    }
    await page.route('**/reports/sends', lost, { times: 1 })
    const send = page.getByRole('button', { name: 'Send' })
    await send.click()
    await page.getByText('It is not known whether').waitFor()
    await send.click()
    await page.getByText('0 of 3 sent').waitFor()
    assert.equal((await at.errand.list({ job: 'reports.send' }, 10)).jobs.length, 3)

    await page.route('**/reports/', lost, { times: 1 })
    await page.evaluate('void Reports.request({ days: 3 })')
    await item(page, '3 days').getByText('Waiting to start').waitFor()
    assert.equal(await item(page, '3 days').count(), 1)
  })

  test('the overlay stays as its user left it, and begins folded where it would hide the page', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    await at.request(3)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    const heading = page.getByRole('button', { name: /^Your reports/ })
    const isOpen = () => heading.getAttribute('aria-expanded')
    await item(page, '3 days').waitFor()
    await heading.click()
    await page.reload()
    await heading.waitFor()
    assert.equal(await isOpen(), 'false')
    await page.evaluate('void Reports.request({ days: 7 })')
    await item(page, '7 days').waitFor()

    await page.evaluate('localStorage.clear()')
    await page.setViewportSize({ width: 320, height: 640 })
    await page.reload()
    await heading.waitFor()
    assert.equal(await isOpen(), 'false')
    await heading.click()
    await page.reload()
    await item(page, '3 days').waitFor()
    assert.equal(await isOpen(), 'true')
  })

  test('what has the focus in the overlay keeps it while the overlay looks again', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    await at.request(3)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    await item(page, '3 days').waitFor()
    const { id } = await at.request(7)
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
    await item(page, '7 days').waitFor()
    await item(page, '7 days').getByRole('button', { name: 'Remove' }).focus()
    await at.finish(id)
    await item(page, '7 days').getByRole('link', { name: 'Download' }).waitFor()
    await page.keyboard.press('Enter')
    await item(page, '7 days').waitFor({ state: 'detached' })
  })

  test('a browser that keeps nothing shows all the same what is sent, and sends it once', async () => {
    await using carrier = await openCarrier()
    await using at = await setUp(open, { carrierUrl: carrier.url })
    await using seen = await browse(at.server, '/reports/')
    const refuse = `Storage.prototype.setItem = () => { throw new Error('no room') }`
    await seen.page.evaluate(refuse)
    await seen.page.getByRole('button', { name: 'Send' }).dblclick()
    await seen.page.getByText('0 of 3 sent').waitFor()
    await seen.page.evaluate('void Reports.request({ days: 3 })')
    await item(seen.page, '3 days').waitFor()
    assert.equal((await at.errand.list({ job: 'reports.send' }, 10)).jobs.length, 3)
  })

  test('somebody between who asks to sign in, and what was kept in another shape, leave the overlay alive', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    await using seen = await browse(at.server, '/reports/')
    const { page } = seen
    await page.evaluate(`localStorage.setItem('reports /reports/', '{"ids":null}')`)
    const html = { status: 200, contentType: 'text/html', body: '<h1>Sign in</h1>' }
    await page.route('**/reports/mine*', (route) => route.fulfill(html), { times: 1 })
    await page.reload()
    await page.evaluate('void Reports.request({ days: 3 })')
    await item(page, '3 days').getByText('Waiting to start').waitFor()
  })

  test('one tag in the head is enough, and what one tab asks for stands in the others', async () => {
    await using at = await setUp(open)
    await at.seed(PHONES)
    await using seen = await browse(at.server, '/reports/')
    // Tabs share what a browser keeps only within one context.
    const context = await seen.page.context().browser()?.newContext()
    assert.ok(context)
    const body =
      '<!doctype html><head><script src="/reports/widget.js"></script></head><p>Elsewhere'
    const plain = { status: 200, contentType: 'text/html', body }
    await context.route('**/plain', (route) => route.fulfill(plain))
    const [page, other] = [await context.newPage(), await context.newPage()]
    await page.goto(seen.page.url())
    await other.goto(new URL('/plain', seen.page.url()).href)
    await page.evaluate('void Reports.request({ days: 3 })')
    await item(other, '3 days').getByText('Waiting to start').waitFor()
  })

  test('the overlay works on a page of another origin, where that is allowed', async () => {
    await using at = await setUp(open, { origins: ['http://127.0.0.1:1'] })
    const headers = { origin: 'http://127.0.0.1:1', 'access-control-request-method': 'POST' }
    const allowed = await at.ask('/reports', { method: 'OPTIONS', headers })
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'http://127.0.0.1:1')
    const other = { ...headers, origin: 'http://127.0.0.1:2' }
    const refused = await at.ask('/reports', { method: 'OPTIONS', headers: other })
    assert.equal(refused.headers.get('access-control-allow-origin'), null)
  })
})

const item = (page: Awaited<ReturnType<typeof browse>>['page'], days: string) =>
  page.locator('errand-reports li', { hasText: days })
