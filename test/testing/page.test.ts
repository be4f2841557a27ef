import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/compile.ts'

const PAGE = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8')
const FILES = [...PAGE.matchAll(/^```ts\n\/\/ (\S+\.ts)\n(.*?)^```/gms)]

test('what the page on testing shows passes as it stands', () => {
  const names = FILES.map(([, name = '']) => name)
  const tests = names.filter((name) => name.endsWith('.test.ts'))
  assert.deepEqual(tests, ['alone.test.ts', 'time.test.ts', 'faults.test.ts'])
  // Inside the repository, where the package is found by its public name.
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, '.tmp', 'page-'))
  try {
    for (const [, name = '', code = ''] of FILES) writeFileSync(join(folder, name), code)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const args = ['--no-warnings', '--test', '--test-reporter', 'tap', ...tests]
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, env })
    assert.equal(status, 0, String(stdout))
    assert.match(String(stdout), /# pass 8\n# fail 0/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
