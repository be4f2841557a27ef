import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Hono } from 'hono'
import { z } from 'zod'
import { openStandIn } from '../../systems/common/stand-in.ts'
import { Installation, until } from '../support/command.ts'
import { visit } from './browser.ts'
import { SEAL_KEYS } from './stage.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const Job = z.object({ state: z.string(), attempt: z.int() })
const MOUNTS = ['payments', 'guidelines', 'reports', 'domains', 'documents']

test('all systems are served by one server, each at its mount, with a page that leads to them', async () => {
  await using here = new Installation({ ERRAND_APP: `${ROOT}/systems/app.ts` })
  const manager = here.start('start')
  const { url } = z.object({ url: z.string() }).parse(await manager.said('serving'))
  await manager.said('worker started')
  const page = await (await fetch(url)).text()
  for (const mount of MOUNTS) {
    assert.match(page, new RegExp(`href="/${mount}/#try"`))
    const answer = await fetch(`${url}/${mount}/`)
    assert.equal(answer.status, 200, mount)
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'self'/)
    assert.match(await answer.text(), /<title>/)
  }
  // One of them is asked for something: its handler is there, among those of all the others.
  const made = await fetch(`${url}/documents/42/pdf?wait=20`, { redirect: 'manual' })
  assert.equal(made.status, 302)
  await using seen = await visit(`${url}/`)
  await seen.page
    .getByText(/^One worker is running, and jobs are kept in a SQLite file\. Jobs: .*\d done/)
    .waitFor()
  for (const mount of MOUNTS) {
    await seen.page.locator(`a[href="/${mount}/"]`).click()
    await seen.page.getByRole('link', { name: 'All systems' }).click()
    await seen.page.getByRole('heading', { name: 'Errand' }).waitFor()
  }
  await until(() => (here.ask('verify').code === 0 ? true : undefined), 'jobs are astray')
})

test('a job that is there before the stand-ins are is done at its first attempt', async () => {
  const free = await openStandIn(new Hono(), 0)
  await free[Symbol.asyncDispose]()
  await using here = new Installation({
    ERRAND_APP: `${ROOT}/systems/app.ts`,
    GUIDELINES_STAND_IN_PORT: `${free.port}`,
    GUIDELINES_STAND_IN_DELAY: '0ms',
    ERRAND_SEAL_KEYS: SEAL_KEYS,
  })
  const input = JSON.stringify({ guidelines: 'Staff must wash their hands.' })
  const { id } = z
    .object({ id: z.string() })
    .parse(here.ask('enqueue', 'guidelines.checklist', input).said)
  here.start('start')
  const { state, attempt } = await until(() => {
    const job = Job.parse(here.ask('job', id).said)
    return ['completed', 'failed'].includes(job.state) ? job : undefined
  }, 'the job was not run')
  assert.deepEqual([state, attempt], ['completed', 1])
})

test('a system that is served alone offers no way to the others', async () => {
  await using here = new Installation({ ERRAND_APP: `${ROOT}/systems/domains/app.ts` })
  const server = here.start('serve')
  const { url } = z.object({ url: z.string() }).parse(await server.said('serving'))
  assert.doesNotMatch(await (await fetch(`${url}/domains/`)).text(), /href="\/"/)
})
