import { defineJob, defineLimit, type Ended, exponential, type JobOptions } from 'errand'
import { z } from 'zod'
import { settings } from './settings.ts'

/** All workers together call the LLM no more often than this. */
export const llmLimit = defineLimit('guidelines-llm', { rate: settings.LLM_RATE })

/**
 * Nobody calls under it. Who is given back for want of a turn waits for it to open: were the LLM's own limit closed for
 * that, all would wait for the impatience of one.
 */
export const turnLimit = defineLimit('guidelines-turn', { rate: '10000/s' })

export const QUEUE = settings.QUEUE
export const CALLBACK_QUEUE = `${QUEUE}-callbacks`

/** The name under which this queue's line is counted; one more than may wait is refused. */
export const QUEUE_KEY = `queue:${QUEUE}`

/** What is said of a text that does not fit. */
export const TEXT_SAID = `must be a text of ${settings.TEXT_MIN} to ${settings.TEXT_MAX} characters`

export const GuidelineInput = z.object({
  guidelines: z
    .string(TEXT_SAID)
    .min(settings.TEXT_MIN, TEXT_SAID)
    .max(settings.TEXT_MAX, TEXT_SAID),
  callbackUrl: z.url({ protocol: /^https$/ }).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
})
export type GuidelineInput = z.infer<typeof GuidelineInput>

export const Checklist = z.object({
  summary: z.string().min(1),
  checklist: z.array(z.string().min(1)).min(1),
})
export type Checklist = z.infer<typeof Checklist>

export const STEPS = ['summarise', 'checklist'] as const

const terms = {
  queue: QUEUE,
  data: 'sealed',
  attempts: settings.ATTEMPTS,
  backoff: exponential(settings.BACKOFF), // 60, 120, 240 s
  timeout: { soft: settings.SOFT_LIMIT, hard: settings.HARD_LIMIT, retry: false },
  keep: { record: settings.KEEP, failed: settings.KEEP_FAILED },
  limits: [{ key: QUEUE_KEY, pending: settings.QUEUE_MAX }],
} satisfies JobOptions

/** Summarises a guideline, then makes a checklist of the summary. */
export const guidelineChecklist = defineJob({
  name: 'guidelines.checklist',
  input: GuidelineInput,
  output: Checklist,
  ...terms,
})

/** Tells whoever asked that a job has ended. It says which and how, and nothing of what it is about. */
export const guidelineCallback = defineJob({
  name: 'guidelines.callback',
  input: z.custom<Ended<GuidelineInput>>(),
  queue: CALLBACK_QUEUE,
  data: 'sealed',
  attempts: 8,
  backoff: exponential('10s', { max: '30m' }),
  timeout: '30s',
  // One that failed for good holds its event no longer than this.
  keep: { failed: '6h' },
})

/** The same for who wants to be called back: nobody else pays for a hook. */
export const guidelineChecklistCalledBack = defineJob({
  name: 'guidelines.checklist-called-back',
  input: GuidelineInput,
  output: Checklist,
  ...terms,
  onSuccess: guidelineCallback,
  onFailure: guidelineCallback,
})
