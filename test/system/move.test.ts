import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { open } from '../../src/open.ts'
import { Losses, toAdoptees } from '../../src/job/moving.ts'
import { encodePolicy } from '../../src/job/policy.ts'
import { toView } from '../../src/job/view.ts'
import { mishapIn } from '../../src/job/words.ts'
import { Installation, until } from '../support/command.ts'
import { copyAll } from '../support/copies.ts'
import { Hand, idsOf, only, running } from '../support/hand.ts'
import { plain } from '../support/histories/plain.ts'
import { bytes, chore, chores, suspended } from '../support/jobs.ts'
import { populate, RUN } from '../support/moving.ts'
import ledgerApp from './ledger.app.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { RedisServer } from '../support/servers/redis.ts'

const redis = await RedisServer.start()
const postgres = await PostgresServer.start()
const here = new Installation({ ERRAND_APP: join(import.meta.dirname, 'ledger.app.ts') })
after(async () => {
  for (const used of [here, redis, postgres]) await used[Symbol.asyncDispose]()
})

const ERRAND = resolve(import.meta.dirname, '../../bin/errand')
const KINDS = ['sqlite', 'redis', 'postgres'] as const
type Kind = (typeof KINDS)[number]

let stores = 0
const fresh = (kind: Kind): string => {
  const name = `store${++stores}`
  if (kind === 'sqlite') return `sqlite:${here.folder}/${name}.db`
  return kind === 'redis' ? `${redis.url}?prefix=${name}` : `${postgres.url}?schema=${name}`
}

const Exported = z.object({
  jobs: z.number(),
  aliases: z.number(),
  batches: z.number(),
  lost: z.number(),
})
const Imported = z.object({ adopted: z.number(), already: z.number(), refused: z.number() })
const file = join(here.folder, 'moved.ndjson')
const ledger = join(here.folder, 'ledger')

const exported = (url: string) => {
  const { code, said } = here.ask('export', file, '--store', url)
  assert.equal(code, 0)
  return Exported.parse(said)
}
const imported = (url: string) => {
  const { code, said } = here.ask('import', file, '--store', url)
  assert.equal(code, 0)
  return Imported.parse(said)
}

/** Everything in a store, as a copy has it. What a dead worker ran was decided, at a moment of no account. */
async function whole(url: string) {
  await using errand = await open(url)
  const { jobs, aliases, batches: given } = await copyAll(errand.store)
  const losses = new Losses()
  const leaving = jobs.flatMap((job) => losses.noted(job, toAdoptees(job, 0)))
  const told = given.map((batch) => losses.toldTo(batch, 0))
  const batches = told.map(({ batch }) => batch)
  const all = [...leaving, ...told.flatMap(({ last }) => last ?? [])]
  const left = all.map(({ keptUntil: _, ...job }) => job)
  const views = jobs.filter(({ state }) => state !== 'running').map((job) => view(job))
  return { jobs: left, aliases, batches, views, order: idsOf(jobs) }
}

const view = ({ unique, ...job }: Awaited<ReturnType<typeof copyAll>>['jobs'][number]) =>
  toView({ ...job, turn: 0, ...(unique && { unique: unique.value }) })

/** Moments at which the loss of a job was told. */
const TOLD = new Set(['runAt', 'endedAt', 'createdAt'])
const but = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(plain(value), (key, field: unknown) => (TOLD.has(key) ? 0 : field)))

const written = () =>
  existsSync(ledger) ? readFileSync(ledger, 'utf8').trim().split('\n').toSorted() : []

for (const from of KINDS)
  test(`jobs in every state move from ${from} to each store, and are done there, once each`, async () => {
    const source = fresh(from)
    {
      await using errand = await open(source)
      await populate(errand.store, ledger)
    }
    const before = await whole(source)
    assert.deepEqual(exported(source), { jobs: 18, aliases: 1, batches: 1, lost: 3 })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(await whole(source), before)

    for (const to of KINDS) {
      const target = fresh(to)
      assert.deepEqual(imported(target), { adopted: 18, already: 0, refused: 0 })
      assert.deepEqual(imported(target), { adopted: 0, already: 18, refused: 0 })
      exported(source)
      assert.deepEqual(imported(target), { adopted: 0, already: 18, refused: 0 })
      const there = await whole(target)
      assert.deepEqual(but(there.jobs), but(before.jobs))
      assert.deepEqual(there.aliases, before.aliases)
      assert.deepEqual(but(there.batches), but(before.batches))
      const lost = there.views.filter(({ id }) => before.views.some((one) => one.id === id))
      assert.deepEqual(lost, before.views)
      assert.equal(here.ask('verify', '--store', target).code, 0)

      rmSync(ledger, { force: true })
      const worker = here.start('worker', '--store', target)
      await worker.said('worker started')
      await until(() => (written().length >= RUN.length ? true : undefined), 'they were not run')
      worker.signal('SIGTERM')
      assert.equal(await worker.exit(), 0)
      assert.deepEqual(written(), RUN)
      assert.equal(here.ask('verify', '--store', target).code, 0)
    }
  })

for (const to of KINDS)
  test(`who waits for a job that is lost on the way to ${to} is told so`, async () => {
    const [source, target] = [fresh('sqlite'), fresh(to)]
    const ids: string[] = []
    {
      await using errand = await open(source)
      const hand = await Hand.register(errand.store)
      const parent = await running(errand.store, hand, chore())
      const policy = encodePolicy({ onLost: 'fail' })
      const child = chore({ queue: 'odd', policy, parent: { id: parent.id, name: 'a' } })
      await hand.note(parent, { step: { name: 'call:a', value: bytes('1') }, child })
      await hand.claimOne('odd')
      await hand.settle(parent, suspended({ all: ['call:a'] }))
      await errand.store.retire(hand.id)
      ids.push(parent.id, child.id)
    }
    exported(source)
    for (const _ of [1, 2]) imported(target)
    await using there = await open(target)
    const states = ids.map(async (id) => (await there.job(id)).state)
    assert.deepEqual(await Promise.all(states), ['ready', 'failed'])
    const word = only(await there.store.mail(ids[0] ?? ''))
    assert.deepEqual([word.name, word.urgent], ['call:a', true])
    assert.match(mishapIn(word).message, /failed \(lost\)/)
    assert.deepEqual(await there.verify(), [])
  })

for (const to of KINDS)
  test(`an import into ${to} that is killed midway is completed by another one`, async () => {
    const [source, target] = [fresh('sqlite'), fresh(to)]
    const jobs = chores(2500)
    {
      await using errand = await open(source)
      await errand.store.insert(jobs)
    }
    assert.equal(exported(source).jobs, jobs.length)
    const marks = join(here.folder, to)
    mkdirSync(marks)
    const dying = { ERRAND_DATA: marks, ERRAND_FAILPOINTS: 'adopt.after_commit=crash@2' }
    const killed = here.startWith(dying, 'import', file, '--store', target)
    assert.equal(await killed.exit(), null)
    assert.equal(here.ask('verify', '--store', target).code, 0)
    assert.deepEqual(imported(target), { adopted: 500, already: 2000, refused: 0 })
    assert.deepEqual((await whole(target)).order, idsOf(jobs))
    assert.equal(here.ask('verify', '--store', target).code, 0)
  })

test('one command’s output is the other one’s input, and half of it is nothing', async () => {
  const [source, target] = [fresh('redis'), fresh('sqlite')]
  {
    await using errand = await open(source)
    await errand.store.insert(chores(20))
  }
  const pipe = (middle: string, to: string) =>
    spawnSync(
      'sh',
      ['-c', `"$0" export --store "$1" ${middle} | "$0" import --store "$2"`, ERRAND, source, to],
      {
        encoding: 'utf8',
        env: { ...process.env, ERRAND_DATA: here.folder },
      },
    )
  const cut = pipe('| head -n 10', target)
  assert.equal(cut.status, 2)
  assert.match(cut.stderr, /cut off before its end/)
  const done = pipe('', target)
  assert.equal(done.status, 0)
  assert.match(done.stdout, /20 jobs imported into sqlite/)
  assert.match(done.stderr, /20 jobs exported from redis/)
  assert.match(pipe('', target).stdout, /0 jobs imported .*\n {2}20 jobs here already/)
})

for (const to of KINDS)
  test(`schedules move to ${to} as they stand, and one that is there stays`, async () => {
    const [source, target] = [fresh('sqlite'), fresh(to)]
    const write = { ledger, text: 'never' }
    await using errand = await open(source, { jobs: ledgerApp.jobs })
    await errand.schedules.put('nightly', 'write', write, { cron: '0 2 * * *' })
    await errand.schedules.put('paused', 'write', write, { every: '1d', tenant: 'acme' })
    await errand.schedules.pause('acme/paused')
    await errand.schedules.run('nightly')
    const before = await errand.schedules.list()
    assert.equal(exported(source).jobs, 1)
    imported(target)
    await using there = await open(target, { jobs: ledgerApp.jobs })
    assert.deepEqual(await there.schedules.list(), before)
    await there.schedules.pause('nightly')
    const after = await there.schedules.list()
    imported(target)
    assert.deepEqual(await there.schedules.list(), after)
  })

test('a store on which a worker lives gives no jobs and takes none', async () => {
  const [source, busy] = [fresh('sqlite'), fresh('sqlite')]
  await (await open(source))[Symbol.asyncDispose]()
  exported(source)
  const worker = here.start('worker', '--store', busy)
  await worker.said('worker started')
  for (const command of ['export', 'import']) {
    const { status, stderr } = here.say(command, `${file}.2`, '--store', busy)
    assert.equal(status, 1)
    assert.match(stderr, /workers are alive on sqlite .*errand workers shows them/)
  }
  assert.equal(existsSync(`${file}.2`), false)
  worker.signal('SIGTERM')
  await worker.exit()
  assert.deepEqual(imported(busy), { adopted: 0, already: 0, refused: 0 })
})

test('jobs that moved on since they were exported are told of, and all others come in', async () => {
  const [source, target] = [fresh('sqlite'), fresh('postgres')]
  const [moved, still] = chores(2)
  assert(moved && still)
  await using errand = await open(source)
  await errand.store.insert([moved, still])
  exported(source)
  imported(target)
  await errand.cancel(moved.id)
  const late = await errand.store.insert(chores(1))
  exported(source)
  const { status, stdout, stderr } = here.say('import', file, '--store', target)
  assert.equal(status, 1)
  assert.match(
    stdout,
    new RegExp(`1 job imported.*\n.*1 job here.*\n.*${moved.id} is here as it stood`),
  )
  assert.match(stderr, /1 of 3 jobs were refused/)
  await using there = await open(target)
  assert.equal((await there.job(late[0]?.id ?? '')).state, 'ready')
})
