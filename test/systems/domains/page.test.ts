import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../support/until.ts'
import { browse, focusIn } from '../browser.ts'
import { onEachStore } from '../stage.ts'
import { appOver, openWeb, submit } from './setup.ts'

onEachStore((open, store) => {
  // What a browser sees is the same on each store, and browsers are slow.
  if (store !== 'sqlite') return

  test('domains are pasted and followed to their ends; a failed one can be tried again', async () => {
    await using web = await openWeb()
    await using system = await open(appOver(web))
    await using seen = await browse(system.server, '/domains/')
    const { page } = seen
    await page.getByLabel('Domains', { exact: true }).fill('a.example\nmissing.example')
    await page.getByRole('button', { name: 'Read them' }).click()
    const good = page.getByRole('row').filter({ hasText: 'a.example' })
    const bad = page.getByRole('row').filter({ hasText: 'missing.example' })
    await good.waitFor()
    const worker = await system.work()
    await good.getByText('Complete').waitFor()
    await bad.getByText('The site answered 404').waitFor()
    const before = web.readsOf('missing.example')
    await bad.getByRole('button', { name: /Try/ }).click()
    await eventually(() => web.readsOf('missing.example') > before)
    assert.equal(web.readsOf('a.example'), 1)
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('whoever works by keyboard stays where they were, whatever becomes of the pressed button', async () => {
    await using web = await openWeb()
    await using system = await open(appOver(web))
    await using seen = await browse(system.server, '/domains/')
    const { page } = seen
    await page.getByLabel('Domains', { exact: true }).fill('missing.example')
    await page.getByRole('button', { name: 'Read them' }).press('Enter')
    const row = page.getByRole('row').filter({ hasText: 'missing.example' })
    await row.waitFor()
    await page.getByRole('button', { name: 'Cancel' }).press('Enter')
    await page.getByRole('button', { name: 'Go on' }).waitFor()
    assert.equal(await focusIn(page), 'SECTION')
    const worker = await system.work()
    await page.getByRole('button', { name: 'Go on' }).press('Enter')
    await row.getByText('The site answered 404').waitFor()
    await worker.stop()
    await row.getByRole('button', { name: /Try/ }).press('Enter')
    await row.getByRole('button', { name: /Try/ }).waitFor({ state: 'hidden' })
    assert.equal(await focusIn(page), 'TR')
  })

  test('earlier batches tell how far they are, and who is on the way to one is not held up', async () => {
    await using web = await openWeb()
    await using system = await open(appOver(web))
    const path = await submit(system, ['a.example', 'endless.example'], { max_concurrent: 1 })
    await using seen = await browse(system.server, '/domains/')
    const line = seen.page.locator('#earlier li')
    await line.getByText('0 of 2 complete').waitFor()
    await line.getByRole('link').focus()
    const worker = await system.work()
    await line.getByText('1 of 2 complete').waitFor()
    assert.equal(await focusIn(seen.page), 'A')
    await line.getByRole('link').press('Enter')
    await seen.page.getByRole('row').filter({ hasText: 'endless.example' }).waitFor()
    await system.post(`${path}/cancel`, {})
    await line.getByText('Cancelled').waitFor()
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('a link to a batch that is not there says so, until there is one', async () => {
    await using web = await openWeb()
    await using system = await open(appOver(web))
    await using seen = await browse(system.server, '/domains/#nope')
    const { page } = seen
    await page.getByText('There is no batch nope').waitFor()
    await page.getByLabel('Domains', { exact: true }).fill('a.example')
    await page.getByRole('button', { name: 'Read them' }).click()
    await page.getByRole('row').filter({ hasText: 'a.example' }).waitFor()
    assert(await page.getByText('There is no batch nope').isHidden())
  })

  test('the page allows nothing from elsewhere', async () => {
    await using web = await openWeb()
    await using system = await open(appOver(web))
    const answer = await system.ask('/domains/')
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
  })
})
