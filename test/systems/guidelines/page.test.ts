import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse } from '../browser.ts'
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

  test('the page allows nothing from elsewhere', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app({ mount: '/guidelines' }))
    const answer = await system.ask('/guidelines/')
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'/)
    assert.doesNotMatch(await answer.text(), /<style|<script(?![^>]* src=)|style=|onclick=/)
  })
})
