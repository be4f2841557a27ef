import { setTimeout as sleep } from 'node:timers/promises'
import {
  defineApp,
  defineJob,
  defineLimit,
  Hold,
  type Context,
  type Ended,
  type Schema,
  SignalTimeout,
} from 'errand'
import { type KindName } from './kinds.ts'
import { Ledger } from './ledger.ts'

/** What the handlers of a chaos run do, each under the eyes of the ledger. */
const ledger = new Ledger(process.env['CHAOS_LEDGER'] ?? '/dev/null')
const leaseMs = Number(process.env['CHAOS_LEASE_MS'] ?? '2000')

/** What a producer hands in: how long to work, and how often to fail first. */
export type Input = { ms: number; failures?: number }

/** The run feeds its own handlers: nothing is checked. */
const passing = <T>(isIt = (_: unknown): _ is T => true): Schema<T> => ({
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => (isIt(value) ? { value } : { issues: [] }),
  },
})
const input = passing<Input>()

/** Begin, work, take effect, end: the effect counts in the world outside, whatever becomes of the job. */
const chore =
  (work: (input: Input, context: Context) => Promise<void>) =>
  async (given: Input, context: Context): Promise<number> => {
    const { id, fence } = context
    ledger.write({ what: 'begin', id, fence, pid: process.pid })
    await work(given, context)
    ledger.write({ what: 'effect', id, fence })
    ledger.write({ what: 'end', id, fence })
    return fence
  }

const wait = async ({ ms }: Input, { signal }: Context) => sleep(ms, undefined, { signal })

const heard = async ({ id, fence, state }: Ended): Promise<void> =>
  ledger.write({ what: 'hook', id, fence, state })

const followUp = defineJob({ name: 'hook', input: passing<Ended>(), run: heard, backoff: 50 })

const define = (name: KindName, run: Parameters<typeof chore>[0], options: object = {}) =>
  defineJob({ name, input, backoff: 50, attempts: 4, ...options, run: chore(run) })

const fail = () => {
  throw new Error('as planned')
}

/** Only its last run is under the eyes of the ledger: those before it did nothing but wait. */
const patient = defineJob({
  name: 'patient' satisfies KindName,
  input,
  backoff: 50,
  async run(given, context) {
    await context.sleep('nap', given.ms)
    await context.waitFor('go', { timeout: 300 }).catch(passTimeout)
    return chore(wait)(given, context)
  },
})

const line = defineLimit('line', { rate: '20/500ms' })

/** Gives itself back once, with its limit closed; its last run alone is under the eyes of the ledger. */
const caller = defineJob({
  name: 'caller' satisfies KindName,
  input,
  backoff: 50,
  async run(given, context) {
    await context.take('line')
    const first = await context.step('first', () => context.fence)
    if (first === context.fence) throw new Hold('line', '20ms')
    return chore(wait)(given, context)
  },
})

const child = defineJob({ name: 'child', input, backoff: 50, attempts: 4, run: chore(wait) })

const family = defineJob({
  name: 'family' satisfies KindName,
  input,
  backoff: 50,
  async run(given, context) {
    const { call, enqueue, sleep, step } = context
    await Promise.all([call('a', child, given), call('b', child, given)])
    await step('once', () => given.ms)
    await sleep('nap', given.ms)
    await call('c', child, given)
    await enqueue('d', child, given)
    return chore(wait)(given, context)
  },
})

/** At the end of a batch. */
export const last = defineJob({
  name: 'last',
  input: passing<{ id: string }>(),
  backoff: 50,
  run: async ({ id }, { fence }) => ledger.write({ what: 'hook', id, fence, state: 'ended' }),
})

const passTimeout = (error: unknown) => {
  if (!(error instanceof SignalTimeout)) throw error
}

export const jobs = [
  define('short', wait),
  define('medium', wait),
  define('delayed', wait),
  define('unique', wait),
  define('flaky', async (given, context) => {
    await wait(given, context)
    if (context.attempt <= (given.failures ?? 1)) fail()
  }),
  define('long', async (_, { progress, signal }) => {
    for (let done = 0; done < 10; done++) {
      progress({ done, total: 10 })
      await sleep(leaseMs / 4, undefined, { signal })
    }
  }),
  define('busy', async () => {
    for (const until = Date.now() + leaseMs * 1.5; Date.now() < until;);
  }),
  define('file', async (given, context) => {
    await context.artifact('a.txt', 'x'.repeat(1000))
    await wait(given, context)
  }),
  define('isolated', wait, { isolate: true }),
  patient,
  caller,
  family,
  child,
  define('followed', wait, { onSuccess: followUp, onFailure: followUp }),
  define('doomed', async () => fail(), { attempts: 2, onSuccess: followUp, onFailure: followUp }),
  define('item', wait),
  define('dud', async () => fail(), { attempts: 2 }),
  last,
  define('poison', async () => process.exit(1), { onFailure: followUp }),
  define(
    'endless',
    async () => {
      for (;;);
    },
    { attempts: 1, timeout: { hard: 300 }, onFailure: followUp },
  ),
  define('unwanted', async (_, { signal }) => sleep(leaseMs * 2, undefined, { signal }), {
    onSuccess: followUp,
    onFailure: followUp,
  }),
  followUp,
]

export default defineApp({ jobs, limits: [line] })
