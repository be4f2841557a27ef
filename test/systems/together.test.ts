import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { Installation, until } from '../support/command.ts'

const ROOT = resolve(import.meta.dirname, '../..')
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
  await until(() => (here.ask('verify').code === 0 ? true : undefined), 'jobs are astray')
})
