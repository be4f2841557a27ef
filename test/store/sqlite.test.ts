import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { HandClock } from '../support/clock.ts'
import { Hand, idsOf, LEASE_MS, only, pass } from '../support/hand.ts'
import { chore, chores } from '../support/jobs.ts'
import { acrossProcesses, StoreProcess } from '../support/processes.ts'
import { rotate } from '../support/rotation.ts'
import { conform } from './conform.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-store-'))
let files = 0
const freshFile = () => join(folder, `${++files}.db`)
const processes = Array.from({ length: 4 }, () => new StoreProcess())

after(async () => {
  for (const child of processes) await child[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

conform('SQLite in memory', (clock) => SqliteStore.open(':memory:', { clock }))

conform('SQLite over four connections', async (clock) => {
  const file = freshFile()
  const open = () => SqliteStore.open(file, { clock })
  return rotate(await open(), await open(), await open(), await open())
})

conform('SQLite in four processes', async (clock) => {
  const file = freshFile()
  return acrossProcesses(await SqliteStore.open(file, { clock }), file, clock, processes)
})

test('a file is durable unless less is asked for', async () => {
  await using strict = await SqliteStore.open(freshFile())
  await using quick = await SqliteStore.open(freshFile(), { durability: 'normal' })
  assert.equal(strict.about.durability, 'FULL')
  assert.equal(quick.about.durability, 'NORMAL')
})

test('what was accepted is there when the file is opened again', async () => {
  const file = freshFile()
  const jobs = chores(3)
  {
    await using store = await SqliteStore.open(file)
    await store.insert(jobs)
  }
  await using store = await SqliteStore.open(file)
  assert.deepEqual(idsOf((await store.list({}, 10)).jobs).toSorted(), idsOf(jobs).toSorted())
})

test('jobs of a killed process are accounted for and taken over', async () => {
  const file = freshFile()
  const clock = new HandClock()
  await using store = await SqliteStore.open(file, { clock })
  const sweeper = await Hand.register(store)
  const [job, holder] = [chore(), newId()]
  {
    await using child = new StoreProcess()
    await child.call(clock, 'open', [], { file })
    await child.call(clock, 'insert', [[job]])
    await child.call(clock, 'register', [{ id: holder, leaseMs: LEASE_MS, info: new Uint8Array() }])
    await child.call(clock, 'exchange', [holder, 1, [], { queues: ['default'], limit: 1 }])
  }
  await pass(clock, 2 * LEASE_MS, sweeper)
  assert.equal(only(await sweeper.sweep()).id, job.id)
  assert.deepEqual(await store.verify(), [])
})
