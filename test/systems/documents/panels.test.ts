import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { exportTable } from '../../../systems/documents/exports/contract.ts'
import { mailApi } from '../../../systems/documents/stand-in/mail-api.ts'
import { browse, focusIn } from '../browser.ts'
import { setUp } from './setup.ts'

const Mailings = z.object({ data: z.array(z.unknown()) })
const PHONE = { viewport: { width: 360, height: 740 } }
const PARTS = ['PDFs', 'Files', 'Exports', 'Imports', 'Mail', 'Pictures']

/** The whole system with a worker and a page in front of it. */
async function openPage(hash = '', options = {}) {
  const mails = await openStandIn(mailApi(), 0)
  const system = await setUp(mails.url)
  const open = await browse(system.server, `/documents/${hash}`, options)
  return {
    ...open,
    system,
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]()
      await system[Symbol.asyncDispose]()
      await mails[Symbol.asyncDispose]()
    },
  }
}

test('a file goes through its chain before the eyes of who sent it', async () => {
  await using at = await openPage('#files')
  const { page, system } = at
  await page.getByText('No file was sent yet.').waitFor()
  await page.getByRole('button', { name: 'Try a sample' }).filter({ visible: true }).click()
  await page.getByText('Waiting', { exact: true }).waitFor()
  const worker = await system.work()
  for (const step of ['validate', 'process', 'notify'])
    await page.getByRole('listitem', { name: `${step}: Done` }).waitFor()
  await page.getByText('TEXT, 77 bytes, 4 lines').waitFor()
  await worker.stop()
  assert.deepEqual(at.complaints, [])
})

test('what failed says why and can be tried again; what waits can be cancelled', async () => {
  await using at = await openPage('#files')
  const { page, system } = at
  const choose = page.locator('#files input[type=file]')
  await choose.setInputFiles({
    name: 'photo.png',
    mimeType: 'image/png',
    buffer: Buffer.from('no'),
  })
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  const entry = page.getByRole('listitem').filter({ hasText: 'photo.png' })
  await entry.getByRole('button', { name: 'Cancel' }).click()
  await entry.getByText('Cancelled').waitFor()
  await entry.getByRole('button', { name: 'Try again' }).click()
  const worker = await system.work()
  await entry.getByText('not what its name says').waitFor()
  await worker.stop()
  await entry.getByRole('button', { name: 'Try again' }).waitFor()
})

test('whoever works by keyboard stays where they were, whatever becomes of the pressed button', async () => {
  await using at = await openPage('#exports')
  const { page } = at
  await page.getByRole('button', { name: 'Export' }).press('Enter')
  const entry = page.getByRole('listitem').filter({ hasText: 'readings.xlsx' })
  await entry.waitFor()
  assert.equal(await focusIn(page), 'BUTTON')
  await entry.getByRole('button', { name: 'Cancel' }).press('Enter')
  await entry.getByRole('button', { name: 'Try again' }).waitFor()
  assert.equal(await focusIn(page), 'LI')
})

test('exports, imports, pictures and mails show what came of them', async () => {
  await using at = await openPage('#exports')
  const { page, system } = at
  const worker = await system.work()
  const sample = page.getByRole('button', { name: 'Try a sample' }).filter({ visible: true })
  const turn = async (part: string) => {
    await page.getByRole('link', { name: part, exact: true }).click()
    await page.getByRole('region', { name: part }).waitFor()
  }
  await page.getByRole('button', { name: 'Export' }).click()
  await page.getByText('20,000 rows').waitFor()
  const link = page.getByRole('link', { name: 'Download' }).filter({ visible: true })
  assert.equal((await system.ask((await link.getAttribute('href')) ?? '')).status, 200)

  await turn('Imports')
  await sample.click()
  await page.getByText('2 rows refused').click()
  await page.getByText('Row 17: email is no address').waitFor()

  await turn('Pictures')
  await sample.click()
  await page.getByRole('link', { name: '160 × 107' }).waitFor()
  assert.ok(
    await page.evaluate(`document.querySelector('#pictures img').decode().then(() => true)`),
  )

  await turn('Mail')
  await page.getByRole('button', { name: 'Send to all' }).click()
  await page.getByRole('button', { name: 'Send 538 mails' }).click()
  await page.getByText(/^\d+ of 538 sent/).waitFor()
  await page.getByRole('button', { name: 'Cancel' }).filter({ visible: true }).click()
  await page.getByText('Cancelled', { exact: true }).filter({ visible: true }).waitFor()
  await worker.stop()
  assert.deepEqual(at.complaints, [])
})

test('nobody is written to before it was said to how many, and asked', async () => {
  await using at = await openPage('#mail')
  const { page } = at
  await page.getByText('to each of 500 contacts').waitFor()
  const send = page.getByRole('button', { name: 'Send to all' })
  for (const no of ['Escape', 'Enter']) {
    await send.press('Enter')
    await page.getByRole('dialog', { name: 'Write to 500 contacts?' }).waitFor()
    await page.keyboard.press(no)
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.equal(await focusIn(page), 'BUTTON')
  }
  await page.getByText('Nothing was sent yet.').waitFor()
  await send.press('Enter')
  await page.getByRole('button', { name: 'Send 500 mails' }).press('Enter')
  await page.getByText('0 of 500 sent').waitFor()
  const { data } = Mailings.parse(await at.system.json('/documents/mailings'))
  assert.equal(data.length, 1)
})

test('what an export does not read cannot be filled in', async () => {
  await using at = await openPage('#exports')
  const readings = at.page.getByLabel('Readings', { exact: true })
  await at.page.getByLabel('Table').selectOption('All documents')
  assert.ok(await readings.isDisabled())
  await at.page.getByLabel('Table').selectOption('Readings in homes')
  assert.ok(await readings.isEnabled())
})

test('more than a list shows at first can be seen, of tasks and of mailings', async () => {
  await using at = await openPage()
  const { page, system } = at
  for (let i = 0; i < 23; i++) {
    await system.errand.enqueue(exportTable, { table: 'documents', format: 'csv' })
    await system.ask('/documents/mailings', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subject: `News ${i}`, text: 'None.', first: 1 }),
    })
  }
  for (const part of ['Exports', 'Mail']) {
    await page.getByRole('link', { name: part, exact: true }).click()
    const list = page.getByRole('region', { name: part }).locator('.tasks > li')
    await list.nth(19).waitFor()
    assert.equal(await list.count(), 20)
    const more = page.getByRole('button', { name: 'Show more' }).filter({ visible: true })
    await more.press('Enter')
    await list.nth(22).waitFor()
    await more.waitFor({ state: 'detached' })
    assert.equal(await focusIn(page), 'SECTION')
  }
})

test('a link that ends in #try makes a first PDF by itself', async () => {
  await using at = await openPage('#try')
  const worker = await at.system.work()
  await at.page.getByRole('link', { name: 'Download' }).waitFor()
  await worker.stop()
})

test('every part fits a phone, and is reached by keyboard', async () => {
  await using at = await openPage('', PHONE)
  const { page } = at
  for (const part of PARTS) {
    await page.getByRole('link', { name: part, exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: part }).waitFor()
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, part)
    assert.equal(await page.evaluate('scrollY'), 0, 'it stays where it is')
  }
  assert.deepEqual(at.complaints, [])
})
