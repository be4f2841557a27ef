import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { open } from '../../src/open.ts'
import { Installation } from '../support/command.ts'
import { chores } from '../support/jobs.ts'

const Paused = z.object({ since: z.string(), person: z.string(), reason: z.string() })
const Queues = z.array(z.object({ queue: z.string(), paused: Paused.optional() }).loose())
const REASON = 'the printer is down'

async function filled(): Promise<Installation> {
  const here = new Installation()
  await using errand = await open(`sqlite:${here.folder}/errand.db`)
  await errand.store.insert(chores(2))
  return here
}

const pausedIn = (here: Installation, ...flags: string[]) =>
  Queues.parse(here.ask('queues', ...flags).said).map(({ queue, paused }) => [
    queue,
    paused?.reason,
  ])

test('a queue is paused and resumed on the command line, and shown with who did it and why', async () => {
  await using here = await filled()
  assert.doesNotMatch(here.say('queues').stdout, /PAUSED/)
  const said = here.say('queues', 'pause', 'default', '--reason', REASON)
  assert.match(said.stdout, /^default is paused, .* by .*: the printer is down/)
  assert.match(here.say('queues', 'pause', 'default').stderr, /paused already/)
  assert.deepEqual(pausedIn(here), [['default', REASON]])
  const shown = new RegExp(`PAUSED[^]*default.* by ${userInfo().username}: ${REASON}`)
  assert.match(here.say('queues').stdout, shown)
  const paused = new RegExp(`default .* paused .* by ${userInfo().username}: ${REASON}`)
  assert.match(here.say('info').stdout, paused)
  assert.match(here.say('doctor').stdout, /default is paused; 2 ready in it/)
  assert.match(
    here.say('queues', 'resume', 'default', '--note', 'mended').stdout,
    /hands out again/,
  )
  assert.match(here.say('queues', 'resume', 'default').stdout, /was not paused/)
  assert.deepEqual(pausedIn(here), [['default', undefined]])
  assert.match(here.say('audit').stdout, /resume +default +mended\n.*pause +default +the printer/)
  assert.equal(here.say('queues', 'pause', 'No Queue').status, 2)
})

test('a queue that is paused is paused in the store that it is moved to', async () => {
  await using here = await filled()
  here.ask('queues', 'pause', 'default', '--reason', REASON)
  const [file, store] = [join(here.folder, 'moved'), `sqlite:${here.folder}/other.db`]
  assert.equal(here.ask('export', file).code, 0)
  for (let i = 0; i < 2; i++) assert.equal(here.ask('import', file, '--store', store).code, 0)
  assert.deepEqual(pausedIn(here, '--store', store), [['default', REASON]])
})
