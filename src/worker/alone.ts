import { tmpdir } from 'node:os'
import { newId } from '../base/id.ts'
import { decodeJson } from '../base/json.ts'
import type { Resources } from '../job/context.ts'
import { Hold } from '../job/control.ts'
import type { Handler } from '../job/define.ts'
import { type RateLimit, limitNamed } from '../job/rate.ts'
import { encodeInput } from '../job/prepare.ts'
import { type Given, type Parsed, type Schema, validate } from '../job/schema.ts'
import type { Files } from '../files/contract.ts'
import type { Note } from '../store/contract.ts'
import { Attempt, type Tools } from './context.ts'
import { Gate } from './gate.ts'
import { Rates } from './rates.ts'

type Surroundings = {
  files: Files
  resources: Partial<Resources> | undefined
  limits?: readonly RateLimit[]
}

/** Where no store is, limits hold for this process. */
const gate = new Gate({ store: new Rates(), lookMs: 1000, onError: console.error })

/**
 * A handler run once, in the caller's own time: no store, no worker, no retries. Artifacts are written
 * under an id of their own.
 * @throws ErrandError INVALID_INPUT, and whatever the handler throws
 */
export async function runInline<In extends Schema, Out extends Schema>(
  handler: Handler<In, Out>,
  input: Given<In>,
  { files, resources, limits = [] }: Surroundings,
): Promise<Parsed<Out>> {
  const { definition } = handler
  const bytes = encodeInput(input, definition.inputMax)
  const job = {
    id: newId(),
    fence: Date.now(),
    job: definition.name,
    tenant: '',
    failures: 0,
    input: bytes,
  }
  // There is no store to record a step in, and no later attempt to want it.
  const note = ({ step }: Note) => step && queueMicrotask(() => attempt.noted(step.name, 'done'))
  const take: Tools['take'] = (holder, ask, asked) =>
    gate.add(holder, asked, (since) => attempt.passed(ask, since))
  const tools = { files, resources, limits, scratch: tmpdir(), note, take }
  const attempt: Attempt = new Attempt(job, definition.policy.attempts, tools)
  const timer = setTimeout(
    () => attempt.abort(new DOMException('the time limit was reached', 'TimeoutError')),
    definition.policy.softMs,
  )
  try {
    const parsed = (await validate(
      definition.input,
      decodeJson(bytes),
      definition.name,
    )) as Parsed<In>
    const returned = await handler.run(parsed, attempt)
    if (!definition.output) return returned
    return await validate(definition.output, returned, definition.name)
  } catch (error) {
    if (error instanceof Hold) await gate.hold(limitNamed(limits, error.limit).name, error.holdMs)
    throw error
  } finally {
    clearTimeout(timer)
    gate.drop(job)
    attempt.end()
  }
}
