// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { z } from 'zod'
import { browse, focusIn } from '../browser.ts'
import { onEachStore } from '../stage.ts'
import { GOOD, request, stand } from './setup.ts'

onEachStore((open, name) => {
  // What a browser sees is the same on each store, and browsers are slow.
  if (name !== 'sqlite') return

  test('the page and what it loads stand apart, under a policy that allows nothing from elsewhere', async () => {
    await using at = await stand(open, { idle: true })
    const answer = await at.system.ask('/payments/')
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
    for (const file of ['page.css', 'page.js', 'item.js', 'rows.js', 'ask.js', 'look.css'])
      assert.equal((await at.system.ask(`/payments/${file}`)).status, 200)
  })

  test('the sample is handed in by itself, once, and confirmed with the row that was refused in sight', async () => {
    await using at = await stand(open)
    await using seen = await browse(at.system.server, '/payments/#try')
    const { page } = seen
    await state(page, 'processed with errors')
    await page.getByText('It waits for your confirmation until').waitFor()
    assert.deepEqual(await counts(page), ['5', '4', '1', '0'])
    await page.getByText('1 row refused').click()
    await page.getByText('Row 5 (S-5): the check digits of the IBAN are wrong').waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Confirm 4 payments' }).press('Enter')
    await state(page, 'created with errors')
    assert.deepEqual(await counts(page), ['5', '4', '1', '4'])
    assert.equal(await page.getByRole('button', { name: /Confirm|Cancel/ }).count(), 0)
    assert.equal((await at.bank.held()).length, 1)
    assert.deepEqual(seen.complaints, [])
  })

  test('what is handed in stands there before it is worked on, and can be cancelled when it is', async () => {
    await using at = await stand(open, { idle: true })
    await using seen = await browse(at.system.server, '/payments/', PHONE)
    const { page } = seen
    await page.getByText('Nothing yet.').waitFor()
    await page.getByLabel('Name').fill('Rents')
    await page.getByLabel('Payments, one a line').fill(`R-1;Ann;${GOOD};10.50;EUR`)
    await page.getByText('1 payment · 10.50 EUR').waitFor()
    await page.getByRole('button', { name: 'Hand in' }).press('Enter')
    await state(page, 'queued for processing')
    assert.equal(await page.getByRole('button', { name: /Confirm|Cancel/ }).count(), 0)
    const widths = '[document.documentElement.scrollWidth, innerWidth]'
    const [needed, given] = Widths.parse(await page.evaluate(widths))
    assert.ok(needed <= given, `${needed} px on a phone of ${given}`)
    const worker = await at.system.work()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await state(page, 'cancelled')
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('what the backend will not cancel says why, and waits for its confirmation as before', async () => {
    await using at = await stand(open)
    await using seen = await browse(at.system.server, '/payments/#try')
    const { page } = seen
    await state(page, 'processed with errors')
    const body = { error: { message: 'not on Sundays' } }
    await at.bank.script({ method: 'POST', times: 1, status: 422, body })
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText(/could not be cancelled.*not on Sundays.*waits for your conf/).waitFor()
    await page.getByRole('button', { name: 'Confirm 4 payments' }).click()
    await state(page, 'created with errors')
  })

  test('whoever confirms by keyboard stays at that mass payment', async () => {
    await using at = await stand(open)
    await using seen = await browse(at.system.server, '/payments/#try')
    const { page } = seen
    await page.getByRole('button', { name: 'Confirm 4 payments' }).press('Enter')
    await state(page, 'created with errors')
    assert.equal(await focusIn(page), 'LI')
  })

  test('nobody is asked to confirm no payment', async () => {
    await using at = await stand(open)
    await at.becomes(await at.submitted(request(2, 2, { external_reference: ' ' })), 'processed')
    await using seen = await browse(at.system.server, '/payments/')
    const { page } = seen
    await page.getByRole('heading', { name: 'Without a name' }).waitFor()
    await page.getByText('Every row was refused: there is nothing to confirm.').waitFor()
    assert.equal(await page.getByRole('button', { name: /Confirm/ }).count(), 0)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await state(page, 'cancelled')
  })

  test('more than the page shows at once are counted, and can be leafed through', async () => {
    await using at = await stand(open, { idle: true })
    await Promise.all(Array.from({ length: 132 }, () => at.bank.add(randomUUID())))
    await using seen = await browse(at.system.server, '/payments/')
    const { page } = seen
    for (const shown of [20, 40, 60, 80]) {
      await page.getByText(`1 to ${shown} of 132`).waitFor()
      await page.getByRole('button', { name: 'Show more' }).click()
    }
    await page.getByText('1 to 100 of 132').waitFor()
    await page.getByRole('button', { name: 'Show 32 older' }).click()
    await page.getByText('101 to 132 of 132').waitFor()
    assert.equal(await page.locator('#list li').count(), 32)
    assert.ok(await page.locator('#more').isHidden())
    await page.getByRole('button', { name: 'Show newer' }).click()
    await page.getByText('1 to 100 of 132').waitFor()
    assert.deepEqual(seen.complaints, [])
  })

  test('what asks for it is made without a word more', async () => {
    await using at = await stand(open)
    await using seen = await browse(at.system.server, '/payments/')
    await seen.page.getByLabel('make the others').check()
    await seen.page.getByLabel('Confirm it by itself').check()
    await seen.page.getByRole('button', { name: 'Hand in' }).click()
    await state(seen.page, 'created with errors')
  })

  test('a line that does not fit is named, and nothing is handed in', async () => {
    await using at = await stand(open, { idle: true })
    await using seen = await browse(at.system.server, '/payments/')
    const { page } = seen
    await page
      .getByLabel('Payments, one a line')
      .fill(`iban,amount,currency,beneficiary\n${GOOD},1.00,EUR,Ann\n\n${GOOD},1 000,EUR,Ben`)
    await page.getByRole('button', { name: 'Hand in' }).click()
    await page.getByText('Line 4, the amount: needs a text such as "12.50".').waitFor()
    assert.equal(await page.locator('#list li').count(), 0)
  })

  test('a failure says why and can be tried again, to create and to confirm', async () => {
    await using at = await stand(open)
    const refuse = (message: string) =>
      at.bank.script({ method: 'POST', times: 1, status: 422, body: { error: { message } } })
    await refuse('the debit account is closed')
    await using seen = await browse(at.system.server, '/payments/#try')
    const { page } = seen
    await page.getByText('the debit account is closed').waitFor()
    await state(page, 'failed')
    await page.getByRole('button', { name: 'Try again' }).click()
    await state(page, 'processed with errors')
    await refuse('not enough money')
    await page.getByRole('button', { name: 'Confirm 4 payments' }).click()
    await page.getByText('not enough money').waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await state(page, 'created with errors')
    assert.equal((await at.bank.held()).length, 1)
    assert.deepEqual(seen.complaints, [])
  })

  test('while the backend is away the page says so, and goes on by itself', async () => {
    await using at = await stand(open, { idle: true })
    await at.bank.script({ method: 'GET', times: 1, status: 503 })
    await using seen = await browse(at.system.server, '/payments/')
    await seen.page.getByText('backend does not answer just now').waitFor()
    await seen.page.getByText('Nothing yet.').waitFor()
    assert.ok(await seen.page.locator('#trouble').isHidden())
  })
})

const Widths = z.tuple([z.number(), z.number()])
const PHONE = { viewport: { width: 360, height: 740 } }

type Page = Awaited<ReturnType<typeof browse>>['page']

const state = (page: Page, label: string) =>
  page.locator('#list .state', { hasText: new RegExp(`^${label}$`) }).waitFor()

const counts = (page: Page) => page.locator('#list .counts dd').allTextContents()
