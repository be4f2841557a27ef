import { type BatchView, type Desk, ErrandError } from 'errand'
import { z } from 'zod'
import type { Who } from '../common/who.ts'
import { send } from './contract.ts'
import type { Message, Messages } from './messages.ts'
import type { Settings } from './settings.ts'

const Recipient = z.string().regex(/^\+\d{8,15}$/)
const Sending = z.strictObject({
  template: z.string().min(1).max(100),
  recipients: z.array(z.string()).min(1),
  /** When they were accepted; now unless said. */
  at: z.iso.datetime().optional(),
})
export type Sending = z.infer<typeof Sending>

/** Under a key of its caller it may be asked for again. */
export type SendId = { id: string; isKeyed: boolean }

/** Messages to send: one or many, there is no other way for one. */
export class Sends {
  readonly #errand: Desk
  readonly #messages: Messages
  readonly #settings: Settings

  constructor(errand: Desk, messages: Messages, settings: Settings) {
    this.#errand = errand
    this.#messages = messages
    this.#settings = settings
  }

  /**
   * Lays the messages down, then has them sent by where they stand. Asked for again under the same id, what is missing of
   * both is made up for.
   */
  async accept({ tenant }: Who, { id, isKeyed }: SendId, sending: Sending) {
    this.#check(sending)
    const before = isKeyed ? await this.#messages.find(tenant, id) : undefined
    const places = before ?? (await this.#layDown(tenant, id, sending))
    await this.#errand.enqueueBatch(send, places, {
      id,
      tenant,
      expiresIn: this.#settings.sendWithin,
    })
    return toSend(await this.#errand.batch(id, tenant))
  }

  /** @throws ErrandError BATCH_NOT_FOUND, also for another service's and for batches of other jobs */
  async one({ tenant }: Who, id: string) {
    const view = await this.#errand.batch(id, tenant)
    if (view.job !== send.name) throw new ErrandError('BATCH_NOT_FOUND', { id })
    return toSend(view)
  }

  #layDown(tenant: string, id: string, { template, recipients, at }: Sending) {
    const moment = at === undefined ? Date.now() : Date.parse(at)
    const origin = recipients.length === 1 ? 'one-off' : 'batch'
    const about = { fromMs: moment, toMs: moment, origin, id } as const
    const accepted = new Date(moment).toISOString()
    const messages = recipients.map((to): Message => ({ at: accepted, to, template }))
    return this.#messages.add(tenant, about, messages)
  }

  /** What does not fit is told by its place, never repeated. */
  #check({ recipients }: Sending): void {
    const { sendMax } = this.#settings
    const pointers = recipients.flatMap((to, i) => (Recipient.safeParse(to).success ? [] : [i]))
    if (recipients.length > sendMax) throw unfit('/recipients', `has more than ${sendMax}`)
    if (pointers.length === 0) return
    const issues = pointers.slice(0, 100).map((i) => issue(`/recipients/${i}`, NUMBER))
    throw new ErrandError('VALIDATION_FAILED', {}, { issues })
  }
}

const NUMBER = 'needs a number such as +15550100123'

/** A send as JSON, or as CSV with a column of recipients. @throws ErrandError VALIDATION_FAILED */
export function readSending(
  body: string,
  type: string | undefined,
  query: Record<string, string>,
): Sending {
  const given = type?.startsWith('text/csv')
    ? { ...query, recipients: readColumn(body) }
    : JSON.parse(body)
  const { data, error } = Sending.safeParse(given)
  if (data) return data
  const issues = error.issues.map(({ path, message }) => issue(`/${path.join('/')}`, message))
  throw new ErrandError('VALIDATION_FAILED', {}, { issues })
}

function readColumn(csv: string): string[] {
  const [head = '', ...rows] = csv.split(/\r?\n/).filter((row) => row.trim() !== '')
  const cells = (row: string) => row.split(/[,;]/).map((cell) => cell.trim().replaceAll('"', ''))
  const column = cells(head).findIndex((name) => /^(recipient|phone( number)?|to)$/i.test(name))
  if (column < 0) throw unfit('', 'needs a first line with a column "recipient" or "phone number"')
  return rows.map((row) => cells(row)[column] ?? '')
}

function toSend({ id, state, outcome, items, completed, failed, cancelled, createdAt }: BatchView) {
  const status = state === 'ended' ? (outcome ?? 'completed') : 'sending'
  return { id, status, total: items, done: completed, failed: failed + cancelled, at: createdAt }
}

const issue = (pointer: string, detail: string) => ({ pointer, code: 'invalid', detail })
const unfit = (pointer: string, detail: string) =>
  new ErrandError('VALIDATION_FAILED', {}, { issues: [issue(pointer, detail)] })
