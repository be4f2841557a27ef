import { rehearse } from 'errand/testing'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { guidelinesApp, type GuidelinesOptions } from '../../../systems/guidelines/app.ts'
import { guidelineChecklist } from '../../../systems/guidelines/contract.ts'
import { settings } from '../../../systems/guidelines/settings.ts'
import { Bills } from '../../../systems/guidelines/stand-in/bills.ts'
import { standInLlm } from '../../../systems/guidelines/stand-in/llm.ts'

export const TEXT = 'Staff must wash their hands. Doors should be shut at night. Visitors sign in.'

const said = { code: z.string(), message: z.string() }

export const Event = z.object({
  event_id: z.uuid(),
  status: z.enum(['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED']),
  result: z.object({ summary: z.string(), checklist: z.array(z.string()) }).optional(),
  error: z.object({ ...said, cause: z.object(said).optional() }).optional(),
  retry_count: z.int().optional(),
  queue_position: z.int().optional(),
  waiting_for: z.string().optional(),
  processing_time_seconds: z.number().optional(),
})

const Calls = z.array(z.object({ path: z.string(), at: z.string(), status: z.int().optional() }))

/** A stand-in for the LLM in this process, at a free port. */
export async function openLlm(delayMs = 0) {
  const bills = new Bills()
  const standIn = await openStandIn(standInLlm(bills, delayMs), 0)
  const own = { ...settings, LLM_URL: `${standIn.url}/v1` }
  return {
    url: `${standIn.url}/v1`,
    app: (options: GuidelinesOptions = {}) => guidelinesApp({ settings: own, ...options }),
    settings: own,
    bills,
    steps: () => bills.list().map(({ step }) => step),
    script: (...mishaps: readonly unknown[]) =>
      fetch(`${standIn.url}/stand-in/script`, { method: 'PUT', body: JSON.stringify(mishaps) }),
    /** When it was called for an answer. */
    calls: async () => {
      const calls = Calls.parse(await (await fetch(`${standIn.url}/stand-in/calls`)).json())
      return calls.filter(({ path }) => path === '/v1/chat/completions')
    },
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  }
}

export const failing = (status: number, more: object = {}) => ({ path: '/v1', status, ...more })

type Llm = Awaited<ReturnType<typeof openLlm>>

/** One guideline, on a clock that is moved by hand. */
export async function begin(llm: Llm, options: Parameters<typeof rehearse>[1] = {}, settings = {}) {
  const app = llm.app({ settings: { ...llm.settings, ...settings } })
  const errand = await rehearse(app, { patience: '5s', ...options })
  const { id } = await errand.enqueue(guidelineChecklist, { guidelines: TEXT })
  return {
    errand,
    id,
    view: () => errand.job(id),
    [Symbol.asyncDispose]: () => errand[Symbol.asyncDispose](),
  }
}
