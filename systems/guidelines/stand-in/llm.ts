import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { z } from 'zod'
import type { Bills } from './bills.ts'

const Request = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1),
  response_format: z.object({ type: z.string() }).optional(),
})

const SENTENCES_MAX = 3
const ITEMS_MAX = 6
const SECRET_END = 4

/** Speaks chat completions, and answers with what stands in the text itself: the same for the same question. */
export const standInLlm = (bills: Bills, delayMs: number): Hono =>
  new Hono()
    .post('/v1/chat/completions', async (c) => {
      const secret = c.req.header('authorization')?.replace(/^Bearer /, '') ?? ''
      if (secret === '') return c.json({ error: { message: 'no key was sent' } }, 401)
      const { success, data } = Request.safeParse(await c.req.json())
      if (!success) return c.json({ error: { message: 'this is no chat completion' } }, 400)
      const text = data.messages.at(-1)?.content ?? ''
      const isList = data.response_format?.type === 'json_object'
      await sleep(delayMs, undefined, { ref: false })
      bills.add({
        key: c.req.header('idempotency-key') ?? crypto.randomUUID(),
        step: isList ? 'checklist' : 'summarise',
        at: new Date().toISOString(),
        secret: secret.slice(-SECRET_END),
      })
      return c.json(complete(data.model, isList ? checklist(text) : summary(text)))
    })
    .get('/bills', (c) => c.json(bills.list()))

const complete = (model: string, content: string) => ({
  id: `chatcmpl-${crypto.randomUUID()}`,
  object: 'chat.completion',
  created: Math.floor(Date.now() / 1000),
  model,
  choices: [
    { index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' },
  ],
})

/** The sentences that ask for something come first, in their order. */
function summary(text: string): string {
  const sentences = toSentences(text)
  const asking = sentences.filter((sentence) =>
    /\b(must|should|shall|never|always)\b/i.test(sentence),
  )
  return [...new Set([...asking, ...sentences])].slice(0, ITEMS_MAX).join(' ') || text
}

function checklist(text: string): string {
  const sentences = toSentences(text)
  const items = sentences.length > SENTENCES_MAX ? sentences.slice(0, ITEMS_MAX) : sentences
  return JSON.stringify({ checklist: items.length > 0 ? items.map(toItem) : [text] })
}

const toItem = (sentence: string) => sentence.replace(/[.!?]$/, '')

const toSentences = (text: string) =>
  text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((part) => part.replace(/^[-*\d.)\s]+/, '').trim())
    .filter((part) => part.length > 3)
