import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Installation } from '../support/command.ts'

const CHORES = `${import.meta.dirname}/../system/chores.app.ts`
const View = z.object({
  cron: z.string(),
  zone: z.string(),
  overlap: z.string(),
  tenant: z.string(),
})

test('a schedule is set up from a terminal, looked ahead of, and put in the place of itself', async () => {
  await using here = new Installation({ ERRAND_APP: CHORES })
  const input = '{"text":"good morning"}'
  const put = ['schedules', 'put', 'morning', 'echo', input, '--zone', 'Australia/Perth'] as const
  const more = ['--overlap', 'skip', '--tenant', 'acme', '--note', 'as asked'] as const
  const { code, said } = here.ask(...put, '--cron', '0 7 * * *', ...more)
  assert.deepEqual(
    [code, View.parse(said)],
    [0, { cron: '0 7 * * *', zone: 'Australia/Perth', overlap: 'skip', tenant: 'acme' }],
  )
  const ahead = here.say('schedules', 'preview', 'acme/morning', '--count', '1')
  assert.match(ahead.stdout, /T23:00:00\.000Z +.*T07:00:00\+08:00\[Australia\/Perth\]/)
  assert.equal(here.ask(...put, '--cron', '0 8 * * *', ...more).code, 0)
  assert.match(here.say('schedules').stdout, /acme\/morning +echo +0 8 \* \* \* Australia\/Perth/)
  assert.match(here.say('audit').stdout, /put +acme\/morning +as asked/)
  assert.match(here.say('schedules', 'run', 'acme/morning').stdout, /^[\da-f-]{36}\n$/)
})

test('a schedule that cannot be is refused, and says what it lacks', async () => {
  await using here = new Installation({ ERRAND_APP: CHORES })
  const put = (...more: string[]) => here.say('schedules', 'put', 'odd', ...more)
  assert.match(put('echo', '{"text":"a"}').stderr, /cron .*every/)
  assert.match(put('echo', '{"text":1}', '--every', '1h').stderr, /text/)
  assert.match(put('ecco', '{}', '--every', '1h').stderr, /echo/)
  assert.match(put('echo', '{"text":"a"}', '--every', 'often').stderr, /every/)
  assert.equal(here.say('schedules').stdout, 'no schedules\n')
})
