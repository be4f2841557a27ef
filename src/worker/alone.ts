import { tmpdir } from 'node:os'
import { newId } from '../base/id.ts'
import { decodeJson } from '../base/json.ts'
import type { Resources } from '../job/context.ts'
import type { Handler } from '../job/define.ts'
import { encodeInput } from '../job/prepare.ts'
import { type Given, type Parsed, type Schema, validate } from '../job/schema.ts'
import type { Files } from '../files/contract.ts'
import type { Note } from '../store/contract.ts'
import { Attempt } from './context.ts'

/**
 * A handler run once, in the caller's own time: no store, no worker, no retries. Artifacts are written
 * under an id of their own.
 * @throws ErrandError INVALID_INPUT, and whatever the handler throws
 */
export async function runInline<In extends Schema, Out extends Schema>(
  handler: Handler<In, Out>,
  input: Given<In>,
  { files, resources }: { files: Files; resources: Partial<Resources> | undefined },
): Promise<Parsed<Out>> {
  const { definition } = handler
  const bytes = encodeInput(input)
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
  const tools = { files, resources, scratch: tmpdir(), note }
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
  } finally {
    clearTimeout(timer)
    attempt.end()
  }
}
