import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type Context, defineApp, defineJob } from 'errand'
import { z } from 'zod'

/** Jobs of the system tests: quick, slow, and endless. */
const echo = defineJob({
  name: 'echo',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: ({ text }) => text,
})

const nap = defineJob({
  name: 'nap',
  input: z.object({ ms: z.number() }),
  attempts: 2,
  async run({ ms }, { progress, signal, attempt }) {
    progress({ done: process.pid, status: `attempt ${attempt}` })
    await sleep(ms, undefined, { signal })
    return process.pid
  },
})

/** Tells which process runs it, starts another one, and hears nothing ever again. */
async function goOnForEver(_: unknown, { progress }: Context): Promise<void> {
  const { pid = 0 } = spawn('sleep', ['1000'], { stdio: 'ignore' })
  progress({ done: process.pid, total: pid, status: 'attempt 1' })
  await setImmediate()
  await setImmediate()
  for (;;);
}

const spin = defineJob({
  name: 'spin',
  input: z.object({}),
  attempts: 1,
  timeout: { hard: '2s' },
  run: goOnForEver,
})

/** Leaves a line outside for each of its steps; its first run stops after the first, its second after the second. */
const chain = defineJob({
  name: 'chain',
  input: z.object({ file: z.string() }),
  async run({ file }, { step, progress, signal }) {
    const done: string[] = []
    for (const name of ['a', 'b', 'c']) {
      let isNew = false
      const effect = () => {
        isNew = true
        appendFileSync(file, `${name}\n`)
        return name
      }
      done.push(await step(name, effect))
      if (!isNew || name === 'c') continue
      progress({ done: process.pid, status: `attempt ${done.length}` })
      await sleep(600_000, undefined, { signal })
    }
    return done
  },
})

/** Says its secret in every way there is, and ends as it is told. */
const secret = defineJob({
  name: 'secret',
  input: z.object({ text: z.string(), how: z.enum(['complete', 'fail', 'crash', 'hang', 'wait']) }),
  data: 'sealed',
  attempts: 1,
  timeout: '1s',
  async run({ text, how }, { artifact, log, progress, signal, step, waitFor }) {
    log.info(text)
    progress({ status: text })
    await step('learn', () => text)
    if (how !== 'wait') await artifact('secret.csv', text, { type: 'text/csv' })
    if (how === 'fail') throw new Error(text)
    if (how === 'crash') process.kill(process.pid, 'SIGKILL')
    if (how === 'hang') await sleep(60_000, undefined, { signal })
    return how === 'wait' ? waitFor('more') : text
  },
})

/** Says what it finds where its reference points to, in every way there is, and ends as it is told. */
const report = defineJob({
  name: 'report',
  input: z.looseObject({ file: z.string(), how: z.string() }),
  data: 'reference',
  references: ['file', 'how', 'rows'],
  attempts: 1,
  timeout: '1s',
  async run({ file, how }, { log, progress, signal, step, warn }) {
    const text = readFileSync(file, 'utf8')
    log.info(text)
    progress({ done: 1, status: text })
    warn(text, text)
    await step('learn', () => ({ name: text })).catch(() => undefined)
    const fail = () => {
      throw Object.assign(new Error(text), { code: 'E_ROW', cause: text })
    }
    if (how === 'fail') fail()
    if (how === 'crash') process.kill(process.pid, 'SIGKILL')
    if (how === 'hang') await sleep(60_000, undefined, { signal })
    if (how === 'stray') setTimeout(fail, 50)
    return how === 'return' ? { rows: text.length, name: text } : { rows: text.length }
  },
})

const loop = defineJob({ name: 'loop', input: z.object({}), run: goOnForEver })

export default defineApp({
  jobs: [echo, nap, spin, chain, secret, report, loop],
  settings: { chores: process.env['CHORES'] },
  routes: (app) => {
    app.get('/spin', () => {
      for (;;);
    })
  },
})
