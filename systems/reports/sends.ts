import { createHash } from 'node:crypto'
import { type BatchView, type Desk, ErrandError, hasCode } from 'errand'
import { z } from 'zod'
import { unlessTaken } from '../common/doubt.ts'
import { BrokenCsv, isBlank, recordsOf } from '../common/csv.ts'
import { fit, unfit } from '../common/fit.ts'
import type { Who } from '../common/who.ts'
import { send } from './contract.ts'
import type { Message, Messages, Place } from './messages.ts'
import type { Settings } from './settings.ts'
import { msOf } from './span.ts'

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

type Door = Pick<Desk, 'enqueueBatch' | 'batch' | 'cancelBatch'>

/** Messages to send: one or many, there is no other way for one. */
export class Sends {
  readonly #errand: Door
  readonly #messages: Messages
  readonly #settings: Settings

  constructor(errand: Door, messages: Messages, settings: Settings) {
    this.#errand = errand
    this.#messages = messages
    this.#settings = settings
  }

  /**
   * Lays the messages down, then has them sent by where they stand. Asked for again under the same key, also at the same
   * moment, it is the same, and what is missing of both is made up for.
   * @throws ErrandError VALIDATION_FAILED, IDEMPOTENCY_KEY_REUSED, STORE_BUSY and its kin
   */
  async accept({ tenant }: Who, { id, isKeyed }: SendId, sending: Sending) {
    this.#check(sending)
    const { at } = sending
    const own = { atMs: at === undefined ? Date.now() : Date.parse(at), print: printOf(sending) }
    const first = isKeyed ? await this.#messages.claim(tenant, id, own) : own
    if (first.print !== own.print) throw new ErrandError('IDEMPOTENCY_KEY_REUSED', {})
    const places = await this.#layDown(tenant, id, { ...sending, atMs: first.atMs })
    try {
      const expiresIn = this.#settings.sendWithin
      await this.#errand.enqueueBatch(send, places, { id, tenant, expiresIn })
    } catch (error) {
      const [place] = places
      // Nobody can ask for it again, so nothing is left of it; of what went out reports must tell.
      if (!isKeyed && place)
        await unlessTaken(
          error,
          () => this.#stop(tenant, id, place),
          () => this.#messages.remove(tenant, place),
        )
      throw error
    }
    return toSend(await this.#errand.batch(id, tenant))
  }

  /** @throws ErrandError BATCH_NOT_FOUND, also for another service's and for batches of other jobs */
  async one({ tenant }: Who, id: string) {
    const view = await this.#errand.batch(id, tenant)
    if (view.job !== send.name) throw new ErrandError('BATCH_NOT_FOUND', { id })
    return toSend(view)
  }

  /** Sends no more of it. @returns whether any of it was taken in */
  async #stop(tenant: string, id: string, place: Place): Promise<boolean> {
    try {
      await this.#errand.cancelBatch(id)
      // They come in in their order: of those behind the last nobody else will tell.
      const { items } = await this.#errand.batch(id, tenant)
      await this.#messages.giveUp(tenant, place, items)
      return true
    } catch (error) {
      if (hasCode(error, 'BATCH_NOT_FOUND')) return false
      throw error
    }
  }

  #layDown(tenant: string, id: string, { template, recipients, atMs }: Sending & { atMs: number }) {
    const origin = recipients.length === 1 ? 'one-off' : 'batch'
    const about = { fromMs: atMs, toMs: atMs, origin, id } as const
    const accepted = new Date(atMs).toISOString()
    const messages = recipients.map((to): Message => ({ at: accepted, to, template }))
    return this.#messages.add(tenant, about, messages)
  }

  /** What does not fit is told by its place, never repeated. */
  #check({ recipients, at }: Sending): void {
    const { sendMax, sourceKeep } = this.#settings
    const age = at === undefined ? 0 : Date.now() - Date.parse(at)
    if (age > msOf(sourceKeep) || age < -AHEAD_MS)
      throw misfit('/at', `lies ahead, or longer ago than ${sourceKeep}`)
    const pointers = recipients.flatMap((to, i) => (Recipient.safeParse(to).success ? [] : [i]))
    if (recipients.length > sendMax) throw misfit('/recipients', `has more than ${sendMax}`)
    if (pointers.length === 0) return
    throw unfit(pointers.slice(0, 100).map((i) => fault(`/recipients/${i}`, NUMBER)))
  }
}

/** By how much the clock of a caller may be ahead. */
const AHEAD_MS = 60_000
const RECIPIENT = /^(recipient|phone( number)?|to)$/i
const NUMBER = 'needs a number such as +15550100123'

/** A send as JSON, or as CSV with a column of recipients. @throws ErrandError VALIDATION_FAILED */
export function readSending(
  body: string,
  type: string | undefined,
  query: Record<string, string>,
): Sending {
  const given = type?.startsWith('text/csv')
    ? { ...query, recipients: readColumn(body) }
    : JSON.parse(body || '{}')
  return fit(Sending, given)
}

function readColumn(csv: string): string[] {
  const [head = [], ...rows] = readRecords(csv)
  const column = head.findIndex((name) => RECIPIENT.test(name.trim()))
  if (column < 0) throw misfit('', 'needs a first line with a column "recipient" or "phone number"')
  return rows.filter((row) => !isBlank(row)).map((row) => (row[column] ?? '').trim())
}

function readRecords(csv: string): string[][] {
  try {
    return recordsOf(csv)
  } catch (error) {
    throw error instanceof BrokenCsv ? misfit('', error.message) : error
  }
}

function toSend({ id, state, outcome, items, completed, failed, cancelled, createdAt }: BatchView) {
  const status = state === 'ended' ? (outcome ?? 'completed') : 'sending'
  return { id, status, total: items, done: completed, failed: failed + cancelled, at: createdAt }
}

/** By what a request is known again. It lies beside the messages themselves, and nowhere else. */
const printOf = ({ template, recipients, at = '' }: Sending): string =>
  createHash('sha256')
    .update(JSON.stringify([template, recipients, at]))
    .digest('base64url')

const fault = (pointer: string, detail: string) => ({ pointer, code: 'invalid', detail })
const misfit = (pointer: string, detail: string) => unfit([fault(pointer, detail)])
