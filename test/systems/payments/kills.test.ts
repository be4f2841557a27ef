// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { childrenOf, Installation, until } from '../../support/command.ts'
import { type Ground, openGround } from '../../support/ground.ts'
import { readStores } from '../../support/stores.ts'
import { SEAL_KEYS } from '../stage.ts'
import { openBank, request, View } from './setup.ts'

const APP = resolve(import.meta.dirname, '../../../systems/payments/app.ts')
const KINDS = ['errand executor', 'errand worker', 'errand start'] as const

for (const name of readStores())
  describe(`killed on ${name}`, () => {
    let ground: Ground | undefined
    before(async () => {
      ground = await openGround(name)
    })
    after(() => ground?.[Symbol.asyncDispose]())

    for (const act of ['mass-payments', 'confirm'])
      for (const kind of KINDS)
        test(`when ${kind} dies after the backend took in ${act}, it is not asked again`, async () => {
          await using at = await place(ground, act)
          const { id } = await at.submit(request(2, 0, { auto_commit: true }))
          await until(at.taken, 'the backend was never asked')
          at.kill(kind)
          at.release()
          if (kind === 'errand start') at.start()
          await at.created(id)
          assert.deepEqual(
            (await at.bank.held(id)).map(({ status }) => status),
            ['created'],
          )
          const asked = (await at.bank.calls('POST')).filter(({ path }) => path.endsWith(act))
          assert.equal(asked.length, 1)
          assert.equal(at.here.ask('verify').code, 0)
        })

    for (const point of ['handler.before', 'handler.after', 'settle.sending', 'settle.between'])
      test(`when a process dies at ${point}, there is one confirmation and one payment`, async () => {
        await using at = await place(ground, 'nothing', { ERRAND_FAILPOINTS: `${point}=crash` })
        const { id } = await at.submit(request(2, 0, { auto_commit: true }))
        await at.created(id)
        const { data } = Jobs.parse(at.here.ask('jobs', '--tag', id).said)
        assert.deepEqual(
          data.map(({ job, state }) => [job, state]),
          [['payments.confirm', 'completed']],
        )
        assert.equal((await at.bank.held(id)).length, 1)
        assert.equal((await at.bank.calls('POST')).length, 2)
      })
  })

const Jobs = z.object({ data: z.array(z.object({ job: z.string(), state: z.string() })) })
const Started = z.object({ id: z.uuid() })

/** A whole installation before a bank that holds its answer to one act until it is told. */
async function place(ground: Ground | undefined, act: string, env: Record<string, string> = {}) {
  await using left = new AsyncDisposableStack()
  let isTaken = false
  const gate = Promise.withResolvers<void>()
  const bank = await openBank((path) => {
    if (!path.endsWith(act)) return undefined
    isTaken = true
    return gate.promise
  })
  left.use(bank)
  const here = new Installation({
    ERRAND_APP: APP,
    ERRAND_SEAL_KEYS: SEAL_KEYS,
    ERRAND_LEASE: '2s',
    ERRAND_RENEW: '500ms',
    ERRAND_SWEEP: '300ms',
    PAYMENTS_BACKEND_URL: bank.url,
    PAYMENTS_TIMEOUT: '5s',
  })
  left.use(here)
  left.defer(() => gate.resolve())
  const store = ground?.fresh(here.folder) ?? `sqlite:${join(here.folder, 'errand.db')}`
  const start = (more: Record<string, string> = {}) =>
    here.startWith({ ERRAND_STORE: store, ...more }, 'start')
  let manager = start(env)
  const urlOf = async () => String((await manager.said('serving'))['url'])
  await manager.said('worker started')
  const first = await urlOf()
  const end = left.move()
  return {
    here: { ask: (...args: string[]) => here.ask(...args, '--store', store) },
    bank,
    taken: () => isTaken || undefined,
    release: () => gate.resolve(),
    start: () => void (manager = start()),
    submit: async (body: unknown) => {
      const answer = await fetch(`${first}/payments/mass-payments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return Started.parse(await answer.json())
    },
    kill: (kind: (typeof KINDS)[number]) => {
      const below = childrenOf(manager.pid)
      const worker = below.find(({ title }) => title.startsWith('errand worker'))?.pid
      // No worker would mean 0 here, and that is everybody.
      if (worker === undefined) throw new Error('there is no worker')
      if (kind === 'errand start') process.kill(manager.pid, 'SIGKILL')
      if (kind === 'errand worker') process.kill(worker, 'SIGKILL')
      // Which of them runs it is not known from here.
      if (kind === 'errand executor')
        for (const { pid } of childrenOf(worker)) process.kill(-pid, 'SIGKILL')
    },
    created: async (id: string) => {
      const url = await urlOf()
      return until(async () => {
        const answer = await fetch(`${url}/payments/mass-payments/${id}`).catch(() => undefined)
        const seen = View.safeParse(await answer?.json()).data
        return seen?.status === 'created' ? seen : undefined
      }, 'it was not created')
    },
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  }
}
