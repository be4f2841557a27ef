import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { childrenOf, Installation, until } from '../support/command.ts'
import { hasEnded } from '../support/alive.ts'
import { openGround } from '../support/ground.ts'
import { readStores } from '../support/stores.ts'

const CHORES = join(import.meta.dirname, 'chores.app.ts')

test('a worker on a damaged store says so and answers 74, as waiting would not mend it', async () => {
  await using here = new Installation({ ERRAND_APP: CHORES })
  writeFileSync(join(here.folder, 'errand.db'), 'this is no database at all')
  const worker = here.start('worker')
  assert.equal(await worker.exit(), 74)
})

for (const store of readStores())
  test(`a worker whose app is refused answers 78, whatever it reached meanwhile (${store})`, async () => {
    await using ground = await openGround(store)
    await using here = new Installation({ ERRAND_APP: join(import.meta.dirname, 'refused.app.ts') })
    const worker = here.startWith({ ERRAND_STORE: ground.fresh(here.folder) }, 'worker')
    assert.equal(await worker.exit(), 78)
  })

test('a worker that is told to stop while its app starts ends at once, and its executors with it', async () => {
  await using here = new Installation({ ERRAND_APP: join(import.meta.dirname, 'hanging.app.ts') })
  const worker = here.start('worker')
  const pids = await until(() => {
    const executors = childrenOf(worker.pid).filter(({ title }) => title === 'errand executor')
    return executors.length > 0 ? executors.map(({ pid }) => pid) : undefined
  }, 'no executor was started')
  worker.signal('SIGTERM')
  assert.equal(await worker.exit(), 0)
  for (const pid of pids) await hasEnded(pid)
})

test('a supervisor that speaks to its children is not taken for a manager', async () => {
  await using here = new Installation()
  const env = { ...process.env, ERRAND_APP: CHORES, ERRAND_DATA: here.folder }
  const errand = resolve(import.meta.dirname, '../../bin/errand')
  const stdio: ('ignore' | 'pipe' | 'inherit' | 'ipc')[] = ['ignore', 'pipe', 'inherit', 'ipc']
  const worker: ChildProcess = spawn(errand, ['worker'], { env, stdio })
  const exited = once(worker, 'exit')
  let said = ''
  worker.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until(() => (said.includes('worker started') ? true : undefined), said)
  worker.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
})
