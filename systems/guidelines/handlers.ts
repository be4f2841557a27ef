import { type Context, FatalError, handler, Hold } from 'errand'
import type { Breaker } from './breaker.ts'
import type { Callbacks, Told } from './callbacks.ts'
import {
  guidelineCallback,
  guidelineChecklist,
  guidelineChecklistCalledBack,
  type Checklist,
  type GuidelineInput,
  llmLimit,
  STEPS,
  turnLimit,
} from './contract.ts'
import { type Call, type Llm, pause } from './llm.ts'
import { isPassing, LlmError } from './llm-errors.ts'

declare module 'errand' {
  interface Resources {
    guidelines: { llm: Llm; breaker: Breaker; callbacks: Callbacks; patienceMs: number }
  }
}

type Step = (typeof STEPS)[number]

async function makeChecklist({ guidelines }: GuidelineInput, context: Context): Promise<Checklist> {
  const { log, resources } = context
  const { llm } = resources.guidelines
  log.info('started')
  try {
    const summary = await paid('summarise', (call) => llm.summarise(guidelines, call), context)
    const checklist = await paid('checklist', (call) => llm.checklist(summary, call), context)
    context.progress({ done: STEPS.length, total: STEPS.length })
    log.info('completed')
    return { summary, checklist }
  } catch (error) {
    log.error(`failed: ${tell(error)}`)
    throw error
  }
}

/** A call of the LLM, made once: what it came to is recorded, and a repeat carries the same key. */
function paid<T>(name: Step, ask: (call: Call) => Promise<T>, context: Context): Promise<T> {
  const { log, progress, resources, signal, step } = context
  progress({ done: STEPS.indexOf(name), total: STEPS.length, status: name })
  return step(name, async (key) => {
    await turn(context)
    log.info(`${name} started`)
    const value = await resources.guidelines.breaker.guard(() =>
      ask({ key, signal, turn: () => turn(context) }),
    )
    log.info(`${name} completed`)
    return value
  })
}

/** The job's turn to call. When that does not come for long the job is given back: its time must not run out. */
async function turn({ take, signal, resources }: Context): Promise<void> {
  const over = new AbortController()
  const { patienceMs } = resources.guidelines
  const late = pause(patienceMs, AbortSignal.any([signal, over.signal])).then(() => {
    throw new Hold(turnLimit.name, '1s')
  })
  late.catch(() => undefined)
  try {
    await Promise.race([take(llmLimit.name), late])
  } finally {
    over.abort()
  }
}

const terms = { retryIf: isPassing, run: makeChecklist }
export const checklist = handler(guidelineChecklist, terms)
export const checklistCalledBack = handler(guidelineChecklistCalledBack, terms)

export const callback = handler(guidelineCallback, {
  async run({ id, state, input }, { idempotencyKey, signal, resources }) {
    const { callbackUrl } = input
    if (callbackUrl === undefined) throw new FatalError('nobody asked to be called back')
    const told: Told = { event_id: id, status: state === 'completed' ? 'COMPLETED' : 'FAILED' }
    await resources.guidelines.callbacks.send(callbackUrl, told, { key: idempotencyKey, signal })
  },
})

/** What a log line says of an error: no text that a guideline might be in. */
function tell(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof LlmError) return `${cause.name} ${cause.code}`
  return cause instanceof Error ? cause.name : 'something was thrown'
}
