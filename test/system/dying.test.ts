import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, type Command, until } from '../support/command.ts'
import { hasEnded, lives, stateOf } from '../support/alive.ts'
import { childOf, workplace } from '../support/place.ts'

test('an endless loop is stopped at its hard limit with what it started, and its neighbours run again', async () => {
  await using place = await workplace({ ERRAND_PROCESSES: '1' })
  await place.here.start('worker').said('worker started')
  const neighbours = await place.errand.enqueueMany(
    'nap',
    Array.from({ length: 5 }, () => ({ ms: 2500 })),
  )
  for (const { id } of neighbours) await place.runner(id)
  const { id } = await place.errand.enqueue('spin', {})
  const { done = 0, total = 0 } = await place.pidsOf(id)
  const ended = await place.errand.ended(id, 20_000)
  assert.deepEqual([ended.state, ended.reason], ['failed', 'timeout'])
  await hasEnded(done)
  await hasEnded(total)
  for (const neighbour of neighbours) {
    const view = await place.errand.ended(neighbour.id, 20_000)
    assert.deepEqual([view.state, view.attempt], ['completed', 1])
    const runs = await place.errand.attempts(neighbour.id)
    assert.deepEqual(
      runs.map(({ outcome }) => outcome),
      ['released'],
    )
  }
  assert.deepEqual(await place.errand.verify(), [])
})

test('nothing of a killed worker is left running, endless loops and what they started included', async (t) => {
  // So long a lease that only the end of the pipe can end them.
  await using place = await workplace({ ERRAND_LEASE: '10m' })
  const worker = place.here.start('worker')
  await worker.said('worker started')
  const { id } = await place.errand.enqueue('loop', {})
  const { done = 0, total = 0 } = await place.pidsOf(id)
  const executors = childrenOf(worker.pid).map(({ pid }) => pid)
  assert(executors.includes(done) && lives(total))
  // A failure must not leave behind what it complains of.
  t.after(() => executors.filter(lives).forEach((pid) => process.kill(-pid, 'SIGKILL')))
  worker.signal('SIGKILL')
  for (const pid of [...executors, total]) await hasEnded(pid)
})

test('server, worker and executors end with a killed manager, and what ran is handed back', async () => {
  await using place = await workplace()
  const manager = place.here.start('start')
  await manager.said('worker started')
  await manager.said('serving')
  const { id } = await place.errand.enqueue('nap', { ms: 60_000 })
  const pid = await place.runner(id)
  const children = childrenOf(manager.pid).map((child) => child.pid)
  assert.equal(children.length, 2)
  manager.signal('SIGKILL')
  for (const one of [...children, pid]) await hasEnded(one)
  const view = await place.errand.job(id)
  assert.deepEqual([view.state, view.attempt], ['ready', 1])
})

test('a server whose own route never ends does not outlive its manager', async (t) => {
  await using place = await workplace()
  const manager = place.here.start('start')
  const { url } = await manager.said('serving')
  await manager.said('worker started')
  const serve = await childOf(manager, 'errand serve')
  t.after(() => lives(serve) && process.kill(-serve, 'SIGKILL'))
  const asked = fetch(`${String(url)}/spin`).catch(() => 'no answer')
  await until(() => (stateOf(serve) === 'R' ? true : undefined), 'it does not spin')
  manager.signal('SIGKILL')
  await hasEnded(serve)
  assert.equal(await asked, 'no answer')
})

test('a running job that hears nothing is cancelled from a terminal, and its process is gone', async () => {
  await using place = await workplace()
  await place.here.start('worker').said('worker started')
  const { id } = await place.errand.enqueue('loop', {})
  const { done = 0, total = 0 } = await place.pidsOf(id)
  assert.equal(place.here.ask('cancel', id).code, 0)
  const view = await place.errand.ended(id, 20_000)
  assert.deepEqual([view.state, view.artifacts], ['cancelled', undefined])
  await hasEnded(done)
  await hasEnded(total)
})

test('a frozen worker’s jobs are done by another one, and what it says when it wakes is late', async () => {
  await using place = await workplace()
  const first = place.here.start('worker')
  await first.said('worker started')
  const { id } = await place.errand.enqueue('nap', { ms: 700 })
  const frozen = await place.runner(id)
  await freeze(first, `${place.here.folder}/errand.db`)
  // Its executor goes on, and its report lies in the pipe until the foreman wakes.
  await place.here.start('worker').said('worker started')
  const view = await place.errand.ended(id, 20_000)
  assert.equal(view.state, 'completed')
  assert.notEqual(view.result, frozen)
  await hasEnded(frozen)
  first.signal('SIGCONT')
  const lost = await first.said('worker lost its lease; another begins')
  assert.equal(lost.late, 1)
  await first.said('worker started', 1)
  const metrics = await until(async () => {
    const text = JSON.stringify(await place.errand.watch.metrics())
    return /late_results_total[^}]*\{"labels":\{\},"value":1\}/.test(text) ? text : undefined
  }, 'no late result was counted')
  assert.notEqual(metrics, '')
  assert.equal((await place.errand.job(id)).result, view.result)
  assert.deepEqual(await place.errand.verify(), [])
})

test('a worker frozen within a transaction is killed by the manager, and everybody goes on', async () => {
  await using place = await workplace({ ERRAND_FAILPOINTS: 'exchange.before_commit=stop@5' })
  const manager = place.here.start('start')
  await manager.said('worker started')
  const jobs = await place.errand.enqueueMany(
    'nap',
    Array.from({ length: 20 }, () => ({ ms: 20 })),
  )
  await manager.said('a child is stuck and is killed')
  for (const { id } of jobs) assert.equal((await place.errand.ended(id, 20_000)).state, 'completed')
  assert.deepEqual(await place.errand.verify(), [])
})

test('a manager that stood still for long takes nobody for stuck', async () => {
  await using place = await workplace()
  const manager = place.here.start('start')
  await manager.said('worker started')
  const worker = await childOf(manager, 'errand worker')
  const { id } = await place.errand.enqueue('nap', { ms: 16_000 })
  await place.runner(id)
  manager.signal('SIGSTOP')
  await sleep(12_000)
  manager.signal('SIGCONT')
  const view = await place.errand.ended(id, 20_000)
  assert.deepEqual([view.state, await place.errand.attempts(id)], ['completed', []])
  assert(lives(worker))
})

test('a child that dies as soon as it is born makes the manager unhealthy, until it lives', async () => {
  await using place = await workplace()
  const manager = place.here.start('start')
  const { url } = await manager.said('serving')
  for (let death = 0; death < 5; death++) {
    await manager.said('worker started', death)
    process.kill(await childOf(manager, 'errand worker'), 'SIGKILL')
  }
  const health = async () => {
    const response = await fetch(`${String(url)}/health`)
    const { troubles }: { troubles?: string[] } = JSON.parse(await response.text())
    return { status: response.status, troubles }
  }
  const ill = await until(async () => {
    const seen = await health()
    return seen.troubles ? seen : undefined
  }, 'it stayed healthy')
  assert.deepEqual(ill, { status: 503, troubles: ['worker'] })
  const well = await until(async () => {
    const seen = await health()
    return seen.troubles ? undefined : seen
  }, 'it stayed ill')
  assert.equal(well.status, 200)
})

test('as the first process of a container it reaps what others leave, and stops cleanly', async () => {
  await using place = await workplace()
  const manager = place.here.startIn(
    ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'],
    'start',
  )
  await manager.said('worker started')
  const [shell] = childrenOf(manager.pid)
  process.kill(shell?.pid ?? assert.fail('nobody is there'), 'SIGTERM')
  assert.equal(await manager.exit(), 0)
})

/** Stops it where it holds no lock of its store: there nobody could take over before it wakes. */
function freeze(worker: Command, file: string): Promise<boolean> {
  return until(async () => {
    worker.signal('SIGSTOP')
    await until(() => stateOf(worker.pid) === 'T' || undefined, 'it does not stop')
    const db = new DatabaseSync(file, { timeout: 0 })
    try {
      db.exec('begin immediate; rollback')
      return true
    } catch {
      worker.signal('SIGCONT')
      return undefined
    } finally {
      db.close()
    }
  }, 'it is always at it')
}
