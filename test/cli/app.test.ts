import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findApp, loadApp } from '../../src/cli/app.ts'
import { firstRequest } from '../../src/cli/first.ts'
import { hasCode } from '../../src/job/errors.ts'
import app from './greet.app.ts'

const folder = (t: TestContext) => {
  const made = mkdtempSync(join(tmpdir(), 'errand-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

test('the app file is the one named, else errand.app.ts, else this repository’s own', (t) => {
  const here = folder(t)
  assert.throws(
    () => findApp(undefined, here),
    (error) => hasCode(error, 'APP_NOT_FOUND'),
  )
  writeFileSync(join(here, 'errand.app.ts'), '')
  writeFileSync(join(here, 'other.ts'), '')
  assert.equal(findApp(undefined, here), join(here, 'errand.app.ts'))
  assert.equal(findApp('other.ts', here), join(here, 'other.ts'))
  assert.match(findApp(undefined, import.meta.dirname), /systems\/app\.ts$/)
})

test('a named file that is not there is not replaced by another', (t) => {
  const here = folder(t)
  writeFileSync(join(here, 'errand.app.ts'), '')
  assert.throws(
    () => findApp('missing.ts', here),
    (error) => hasCode(error, 'APP_NOT_FOUND') && /missing\.ts/.test(error.message),
  )
})

const broken = {
  'without a default export': 'export const app = {}',
  'whose default export is no app': 'export default 4',
  'with a member nobody knows': 'export default { jobs: [], handler: 1 }',
  'that throws': 'throw new Error("no")',
  'that is no TypeScript': 'export default {',
}

for (const [what, text] of Object.entries(broken))
  test(`an app file ${what} is refused by its name`, async (t) => {
    const file = join(folder(t), 'broken.ts')
    writeFileSync(file, text)
    await assert.rejects(
      loadApp(file),
      (error) => hasCode(error, 'INVALID_APP') && /broken\.ts/.test(error.message),
    )
  })

test('the first request is a job whose schema shows an example, quoted for a shell', () => {
  const line = firstRequest(app, [], 'http://x')
  assert.equal(
    line,
    String.raw`curl -s http://x/v1/jobs -H 'content-type: application/json' -d '{"job":"greet","input":{"name":"O'\''Ada"}}'`,
  )
})

test('the first request to an app with a mount is a page of its own', () => {
  const routes = [
    { method: 'ALL', path: '/*' },
    { method: 'GET', path: '/v1/jobs' },
    { method: 'GET', path: '/docs/:id' },
    { method: 'GET', path: '/docs/all' },
  ]
  assert.equal(
    firstRequest({ ...app, mount: '/docs' }, routes, 'http://x'),
    'curl -s http://x/docs/all',
  )
  assert.equal(
    firstRequest({ ...app, mount: '/none' }, routes, 'http://x'),
    'curl -s http://x/health',
  )
})

test('the first request to an app that asks who calls is one that nobody is asked for', () => {
  const guarded = { ...app, authenticate: () => undefined }
  assert.equal(firstRequest(guarded, [], 'http://x'), 'curl -s http://x/health/ready')
})
