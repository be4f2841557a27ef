import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, focusIn } from '../browser.ts'
import { onEachStore } from '../stage.ts'
import { openLlm, TEXT } from './setup.ts'

onEachStore((open, store) => {
  // What a browser sees is the same on each store, and browsers are slow.
  if (store !== 'sqlite') return

  test('a guideline is pasted, and its summary and checklist appear without a reload', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/')
    const { page } = seen
    await page.getByLabel('Guideline text').fill(TEXT)
    await page.getByRole('button', { name: 'Make checklist' }).click()
    await page.getByRole('heading', { name: 'Checklist', exact: true }).waitFor()
    await page.locator('.items').getByText('Doors should be shut at night').first().waitFor()
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('a reply that is lost on its way to the page is asked for again, and pays for nothing twice', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    await using seen = await browse(system.server, '/guidelines/')
    const { page } = seen
    await page.getByLabel('Guideline text').fill(TEXT)
    await page.route(
      '**/guidelines/jobs',
      async (route) => {
        await route.fetch()
        await route.abort()
      },
      { times: 1 },
    )
    const send = page.getByRole('button', { name: 'Make checklist' })
    await send.click()
    await page.getByText('does not answer').waitFor()
    await send.click()
    await page.getByText('does not answer').waitFor({ state: 'hidden' })
    assert.equal((await system.errand.list({}, 10)).jobs.length, 1)
  })

  test('what failed waits to be reviewed, and can be tried again from there', async () => {
    await using llm = await openLlm()
    await llm.script({ status: 400, times: 1, body: { error: { message: 'no' } } })
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/#try')
    const { page } = seen
    await page.getByText('To be reviewed').waitFor()
    await page.locator('.letter').getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Checklist', exact: true }).waitFor()
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('a dead letter names its event, and is tried again with another text', async () => {
    await using llm = await openLlm()
    await llm.script({ status: 400, times: 1, body: { error: { message: 'no' } } })
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/#try')
    const { page } = seen
    const letter = page.locator('.letter')
    const id = (await letter.locator('code').textContent()) ?? ''
    await letter.getByText('Try again with another text').click()
    await letter.getByLabel('Another text').fill('Wash your hands. Dry them.')
    await letter.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Checklist', exact: true }).waitFor()
    await worker.stop()
    assert.partialDeepStrictEqual(await system.errand.watch.input(id), {
      guidelines: 'Wash your hands. Dry them.',
    })
    assert.deepEqual(seen.complaints, [])
  })

  test('another text that is refused says why beside it, and waits to be mended', async () => {
    await using llm = await openLlm()
    await llm.script({ status: 400, times: 1, body: { error: { message: 'no' } } })
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/#try')
    const letter = seen.page.locator('.letter')
    await letter.getByText('Try again with another text').click()
    await letter.getByLabel('Another text').fill('short')
    await letter.getByRole('button', { name: 'Try again' }).click()
    const said = 'The text was not taken: it must be a text of 10 to 10000 characters.'
    await letter.locator('.problem').getByText(said).waitFor()
    assert.equal(await letter.getByLabel('Another text').inputValue(), 'short')
    await seen.page.getByLabel('Guideline text').fill('short')
    await seen.page.getByText('5 of 10000 characters').waitFor()
    await worker.stop()
    assert.deepEqual(
      seen.complaints.filter((line) => !line.includes('400')),
      [],
    )
  })

  test('the steps are seen as they go, also after a reload', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    await using seen = await browse(system.server, '/guidelines/')
    const { page } = seen
    await page.getByText('Nothing yet').waitFor()
    await page.getByRole('button', { name: 'Use a sample' }).click()
    await page.getByRole('button', { name: 'Make checklist' }).click()
    await page.locator('.event').getByText('Waiting').waitFor()
    await llm.script({ path: '/v1', skip: 1, times: 1, delayMs: 3000 })
    const worker = await system.work()
    await page.reload()
    await page.locator('.steps .now').getByText('Checklist').waitFor()
    await page.locator('.steps .done').getByText('Summarise').waitFor()
    await page.locator('.state').getByText('Ready').waitFor()
    assert.equal(await page.locator('.items input').count(), 6)
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('a dead letter is discarded with a note, and the list of those to be reviewed goes', async () => {
    await using llm = await openLlm()
    await llm.script({ status: 400, times: 1, body: { error: { message: 'no' } } })
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/#try')
    const { page } = seen
    await page.getByLabel('Note for the audit log').fill('sent twice')
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByText('Nothing yet').waitFor()
    assert.ok(await page.getByText('To be reviewed').isHidden())
    const { entries } = await system.errand.watch.audit({}, 10)
    assert.ok(entries.some(({ act, note }) => act === 'discard' && note === 'sent twice'))
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('a note that is being written decides nothing: Enter neither tries again nor discards', async () => {
    await using llm = await openLlm()
    await llm.script({ status: 400, times: 1, body: { error: { message: 'no' } } })
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/#try')
    const { page } = seen
    const note = page.getByLabel('Note for the audit log')
    await note.fill('look at this')
    await note.press('Enter')
    const sent = page.waitForRequest((request) => request.method() === 'POST')
    await page.getByRole('button', { name: 'Discard' }).click()
    assert.match((await sent).url(), /\/discard$/)
    await worker.stop()
  })

  test('one that was cancelled is said to be, and has not failed', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    await using seen = await browse(system.server, '/guidelines/#try')
    const { page } = seen
    const event = page.locator('.event')
    await event.getByRole('button', { name: 'Cancel' }).click()
    await event.locator('.state').getByText('Cancelled').waitFor()
    assert.match((await event.locator('.state').getAttribute('class')) ?? '', /^state *$/)
    assert.equal(await page.locator('.event.failed').count(), 0)
    assert.deepEqual(seen.complaints, [])
  })

  test('what was ticked stays so after a reload, without a word of it, until the guideline is erased', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/#try')
    const { page } = seen
    const box = page.locator('.items input')
    await box.nth(1).check()
    await page.reload()
    await box.first().waitFor()
    assert.deepEqual([await box.nth(0).isChecked(), await box.nth(1).isChecked()], [false, true])
    const kept = () => page.evaluate(() => Object.entries(localStorage))
    assert.deepEqual(
      (await kept()).map(([, text]) => text),
      ['[1]'],
    )
    page.on('dialog', (dialog) => void dialog.accept())
    await page.getByRole('button', { name: 'Erase' }).click()
    await page.getByText('Nothing yet').waitFor()
    assert.deepEqual(await kept(), [])
    await worker.stop()
    assert.deepEqual(seen.complaints, [])
  })

  test('whoever works by keyboard stays where they were, whatever becomes of the pressed button', async () => {
    await using llm = await openLlm()
    await llm.script({ status: 400, times: 1, body: { error: { message: 'no' } } })
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    await using seen = await browse(system.server, '/guidelines/')
    const { page } = seen
    await page.getByRole('button', { name: 'Use a sample' }).press('Enter')
    await page.getByRole('button', { name: 'Make checklist' }).press('Enter')
    await page.locator('.event').waitFor()
    assert.equal(await focusIn(page), 'BUTTON')
    await page.getByRole('button', { name: 'Cancel' }).press('Enter')
    await page.getByRole('button', { name: 'Erase' }).waitFor()
    assert.equal(await focusIn(page), 'LI')
    await page.getByRole('button', { name: 'Use a sample' }).press('Enter')
    await page.getByRole('button', { name: 'Make checklist' }).press('Enter')
    const worker = await system.work()
    await page.getByRole('button', { name: 'Discard' }).press('Enter')
    await page.locator('#letters').waitFor({ state: 'hidden' })
    assert.equal(await focusIn(page), 'MAIN')
    await worker.stop()
  })

  test('a text is shown as it is, never run; one that is refused says why', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const worker = await system.work()
    await using seen = await browse(system.server, '/guidelines/')
    const { page } = seen
    await page.getByLabel('Guideline text').fill('short')
    await page.getByRole('button', { name: 'Make checklist' }).click()
    await page.locator('#problem').getByText('The text was not taken').waitFor()
    await page
      .getByLabel('Guideline text')
      .fill(`You must never write <img src=x onerror=alert(1)>.`)
    await page.getByRole('button', { name: 'Make checklist' }).click()
    await page.locator('.items').getByText('<img src=x onerror=alert(1)>').waitFor()
    assert.equal(await page.locator('img').count(), 0)
    await worker.stop()
    assert.deepEqual(
      seen.complaints.filter((line) => !line.includes('400')),
      [],
    )
  })

  test('the page allows nothing from elsewhere', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const answer = await system.ask('/guidelines/')
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
  })
})
