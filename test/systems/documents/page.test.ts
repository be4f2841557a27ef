import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { until } from '../../support/command.ts'
import { browse as browseAt } from '../browser.ts'
import { setUp, type System } from './setup.ts'

test('the page and what it loads stand apart, under a policy that allows nothing from elsewhere', async () => {
  await using system = await setUp()
  for (const path of ['/documents', '/documents/']) {
    const answer = await system.ask(path)
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
  }
  for (const file of ['page.css', 'page.js'])
    assert.equal((await system.ask(`/documents/${file}`)).status, 200)
})

test('a press makes a PDF, follows it live, and shows a link without a reload', async () => {
  await using system = await setUp()
  await using open = await browse(system)
  const row = rowOf(open.page, 'Warm Homes on Fixed Rents', 'Project brief')
  await row.getByRole('button', { name: 'Make PDF' }).click()
  await row.getByText('Waiting to start').waitFor()
  const worker = await system.work()
  const href = await row.getByRole('link', { name: 'Download' }).getAttribute('href')
  await worker.stop()
  const download = await system.ask(href ?? '')
  assert.match(await download.text(), /^%PDF-/)
  assert.deepEqual(open.complaints, [])
})

test('requests are followed side by side, also after a reload; a failure can be tried again', async () => {
  await using system = await setUp()
  await using open = await browse(system)
  const good = rowOf(open.page, 'Shared Gardens, Shared Care', 'Evidence scan')
  const bad = rowOf(open.page, 'Retrofit Without Moving Out', 'Closing report')
  for (const row of [good, bad]) await row.getByRole('button', { name: 'Make PDF' }).click()
  for (const row of [good, bad]) await row.getByText('Waiting to start').waitFor()
  const kept = async () => {
    const text = await open.page.evaluate(() => localStorage.getItem('documents.tasks'))
    return Object.keys(JSON.parse(text ?? '{}')).length === 2 || undefined
  }
  await until(kept, 'it keeps no two tasks')
  await open.page.reload()
  const worker = await system.work()
  await good.getByRole('link', { name: 'Download' }).waitFor()
  await bad.getByText('This PDF could not be made').waitFor()
  await bad.getByRole('button', { name: 'Try again' }).waitFor()
  await worker.stop()
  assert.deepEqual(open.complaints, [])
})

const rowOf = (page: Page, project: string, title: string) =>
  page.getByRole('row').filter({ hasText: project }).filter({ hasText: title })

const browse = ({ server }: System) => browseAt(server, '/documents/')
