import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { armFailpoints, failpoint, isArmed } from '../../src/base/failpoint.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-failpoint-'))
after(() => rmSync(folder, { recursive: true }))

const SOURCE = new URL('../../src/base/failpoint.ts', import.meta.url)

/** A process that passes a point three times, and how it ended. */
function passing(armed: string): string {
  const script = `
    import { armFailpoints, failpoint } from ${JSON.stringify(SOURCE.href)}
    armFailpoints(${JSON.stringify(armed)}, ${JSON.stringify(folder)})
    for (let i = 1; i <= 3; i++) { failpoint('here.now'); process.stdout.write(String(i)) }`
  const args = ['--no-warnings', '--input-type=module', '-e', script]
  const { stdout, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return `${stdout} ${signal}`
}

test('nothing is armed unless it is asked for', () => {
  assert.equal(isArmed(), false)
  failpoint('anything.at_all')
})

test('a process dies at the passing that was named, and whoever takes over passes', () => {
  assert.equal(passing('here.now=crash@2'), '1 SIGKILL')
  assert.equal(passing('here.now=crash@2'), '123 null')
})

test('a point can stand still, or throw', () => {
  assert.equal(armFailpoints('slow.point=delay:20,broken.point=error', folder), undefined)
  const from = performance.now()
  failpoint('slow.point')
  assert(performance.now() - from >= 20)
  assert.throws(() => failpoint('broken.point'), /on purpose at broken.point/)
  failpoint('broken.point')
})

test('what makes no sense is told', () => {
  for (const part of ['crash', 'here.now=explode', 'Here=crash', 'here.now=crash@x'])
    assert.equal(armFailpoints(`a.b=crash,${part}`, folder), part)
})
