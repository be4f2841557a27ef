import { randomUUID } from 'node:crypto'
import { type Desk, ErrandError, hasCode, type JobView } from 'errand'
import { cancel, confirm } from './contract.ts'
import { idOf, ownedBy, type Sight, worded } from './sight.ts'
import {
  type Act,
  actsOf,
  AT_ONCE,
  isBeingCancelled,
  isEnded,
  isExpiry,
  type Known,
  labelOf,
  statusOf,
} from './status.ts'

/** For so long a cancel can be taken back for certain: nobody has begun with it. */
const TAKE_BACK_MS = 250
/** The name of what lies in the mailbox of a confirmation: the keys that joined it. */
const JOINED = 'joined'

type Errand = Pick<Desk, 'enqueue' | 'cancel' | 'retry' | 'signal' | 'signals'>

/** What a person decides of a mass payment that is processed: that it is made, or that it is not. */
export class Decisions {
  readonly #errand: Errand
  readonly #sight: Sight

  constructor(errand: Errand, sight: Sight) {
    this.#errand = errand
    this.#sight = sight
  }

  /**
   * Has it confirmed, once: whoever asks again while it is under way is told of the same job.
   * @throws ErrandError WRONG_STATE before it is processed and after its end, JOB_NOT_FOUND
   */
  async confirm(id: string, tenant: string, key?: string): Promise<string> {
    const jobs = await this.#sight.jobs(id, tenant)
    const own = key === undefined ? randomUUID() : idOf(tenant, `confirm ${id}`, key)
    if (key !== undefined && (await this.#sight.job(own, confirm.name, tenant))) return own
    const before = jobs.confirm
    if (before && !isEnded(before)) return this.#joined(before.id, own, key)
    if (before && key !== undefined && (await this.#hasJoined(before.id, own, tenant)))
      return before.id
    const known = await this.#sight.known(id, tenant)
    if (!actsOf(known).includes('confirm')) {
      // Somebody may have been faster, at the same moment.
      const { confirm: other } = await this.#sight.jobs(id, tenant)
      if (other && (other.id !== before?.id || !isEnded(other)))
        return this.#joined(other.id, own, key)
    }
    refuseUnless('confirm', id, known)
    const confirming = await this.#confirm(id, own, tenant, known.confirm)
    // Only now: whoever dies before this leaves an expiry that finds it confirmed.
    await this.#callOffExpiry(known)
    return this.#joined(confirming, own, key)
  }

  /** A key that joined another's confirmation leaves a letter there, so that it is known when that has ended. */
  async #joined(confirming: string, own: string, key: string | undefined): Promise<string> {
    if (key === undefined || confirming === own) return confirming
    await this.#errand.signal(confirming, JOINED, null, { key: own }).catch((error: unknown) => {
      const codes = ['WRONG_STATE', 'MAILBOX_FULL', 'JOB_NOT_FOUND'] as const
      if (!codes.some((code) => hasCode(error, code))) throw error
    })
    return confirming
  }

  async #hasJoined(confirming: string, own: string, tenant: string): Promise<boolean> {
    const letters = await this.#errand.signals(confirming, tenant)
    return letters.some(({ name, key }) => name === JOINED && key === own)
  }

  /** One that an operator called off goes on with its notes: the backend may have been asked already. */
  async #confirm(id: string, own: string, tenant: string, before?: JobView): Promise<string> {
    if (before?.state === 'cancelled') {
      await this.#errand.retry(before.id).catch((error: unknown) => {
        // Somebody else has confirmed it again.
        if (!hasCode(error, 'WRONG_STATE')) throw error
      })
      return before.id
    }
    const options = { id: own, ...ownedBy(tenant), tags: [id] }
    return (await this.#errand.enqueue(confirm, { id }, options)).id
  }

  /**
   * Cancels what is processed and nobody confirmed, or the backend would not confirm.
   * @throws ErrandError WRONG_STATE, JOB_NOT_FOUND
   */
  async cancel(id: string, tenant: string): Promise<void> {
    const known = await this.#sight.known(id, tenant)
    if (isLeaving(known)) return
    refuseUnless('cancel', id, known)
    // Beside the expiry, whose place it would only take.
    const unique = `${id}${AT_ONCE}`
    const options = { ...ownedBy(tenant), tags: [id], unique, delay: TAKE_BACK_MS }
    const { id: own } = await this.#errand.enqueue(cancel, { id }, options)
    // Who confirmed it meanwhile was first. What cannot be taken back is not refused: the view tells who was.
    const { confirm: other } = await this.#sight.jobs(id, tenant)
    if (other && !isEnded(other) && (await this.#callOff(own)))
      throw refuse(id, 'being confirmed', 'cancelled')
    await this.#callOffExpiry(known)
  }

  /** Has what failed, or an operator called off, tried again; it is looked for before it is asked for, as ever. */
  async retry(id: string, tenant: string): Promise<void> {
    const known = await this.#sight.known(id, tenant)
    refuseUnless('retry', id, known)
    const failed = [known.confirm, known.create].find((job) => job?.state === 'failed')
    const next = failed ?? known.create
    if (next) await this.#errand.retry(next.id)
  }

  async #callOffExpiry({ cancel: other }: Known): Promise<void> {
    if (other && isExpiry(other)) await this.#callOff(other.id)
  }

  /** @returns whether it will not run: one that has begun meanwhile looks for itself */
  async #callOff(cancelling: string): Promise<boolean> {
    try {
      return (await this.#errand.cancel(cancelling)) === 'cancelled'
    } catch (error) {
      if (hasCode(error, 'WRONG_STATE') || hasCode(error, 'JOB_NOT_FOUND')) return false
      throw error
    }
  }
}

const DONE: Record<Act, string> = {
  confirm: 'confirmed',
  cancel: 'cancelled',
  retry: 'tried again',
}

/** It is being cancelled, and has not been yet. */
const isLeaving = (known: Known): boolean =>
  isBeingCancelled(known) && ['processed', 'failed'].includes(statusOf(known))

/** Nothing is taken that is not offered to who looks. */
function refuseUnless(act: Act, id: string, known: Known): void {
  if (actsOf(known).includes(act)) return
  const state = isLeaving(known) ? 'being cancelled' : labelOf(statusOf(known), false)
  throw refuse(id, state, DONE[act])
}

const refuse = (id: string, state: string, verb: string) =>
  worded(new ErrandError('WRONG_STATE', { id, state, verb }))
