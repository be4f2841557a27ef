// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { browse } from '../browser.ts'
import { onEachStore } from '../stage.ts'
import { stand } from './setup.ts'

const cardOf = (page: Page, name: string) => page.getByRole('listitem').filter({ hasText: name })

onEachStore((open, store) => {
  if (store !== 'sqlite') return

  test('a mass payment is handed in, looked at and confirmed, without a reload', async () => {
    await using here = await stand(open)
    await using open_ = await browse(here.system.server, '/payments/#try')
    const { page } = open_
    const card = cardOf(page, 'A sample')
    await card.getByText('processed with errors').waitFor()
    await card.getByText('What was refused').click()
    await card.getByText(/Line 4: .*IBAN/).waitFor()
    await card.getByRole('button', { name: 'Confirm A sample' }).click()
    await card.getByText('created with errors').waitFor()
    assert.equal(await card.getByRole('button', { name: /Confirm/ }).isVisible(), false)
    assert.deepEqual(open_.complaints, [])
  })

  test('what does not fit is told line by line, and nothing is handed in', async () => {
    await using here = await stand(open)
    await using open_ = await browse(here.system.server, '/payments/')
    const { page } = open_
    await page.getByLabel(/Payments, one a line/).fill('Ada, no iban, 1.00, EUR')
    await page.getByRole('button', { name: 'Hand in' }).click()
    await page.getByText(/Line 1: iban needs an IBAN/).waitFor()
    const { jobs } = await here.system.errand.list({}, 10)
    assert.deepEqual(jobs, [])
  })

  test('the page allows nothing from elsewhere', async () => {
    await using here = await stand(open)
    const answer = await here.system.ask('/payments/')
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
  })
})
