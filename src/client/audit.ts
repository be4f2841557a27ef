import { chain } from '../job/audit-chain.ts'
import { type By, checkBy, type Entry } from '../job/audit.ts'
import { ErrandError } from '../job/errors.ts'
import type { Keyring } from '../job/seal.ts'
import type { Intake, Lookout } from '../store/contract.ts'

/** With `by` it is written into the audit log, before it is done. */
export type OnBehalf = { by?: By | undefined }

type Store = Pick<Intake, 'audit'> & Pick<Lookout, 'audits'>

/** Other processes may write at the same moment, and one of them gets its way each time. */
const TRIES_MAX = 100

/** The log of who did what, as it is written: each entry follows from the one before it. */
export class AuditLog {
  readonly #store: Store
  readonly #keys: Keyring | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: Store, keys?: Keyring) {
    this.#store = store
    this.#keys = keys
  }

  /**
   * Writes down who does what, before it is done: a process that dies in between leaves a line about what was only asked,
   * never an act that nobody asked for (docs/notes/0023). Without a `by` there is nothing to write.
   * @throws ErrandError INVALID_OPTION, STORE_BUSY
   */
  async write(entry: Omit<Entry, keyof By>, by: By | undefined): Promise<void> {
    if (by === undefined) return
    checkBy(by)
    // One after the other: two of this process would only take each other's number.
    const written = this.#last.then(() => this.#add(entry, by))
    this.#last = written.catch(() => undefined)
    return written
  }

  async #add(entry: Omit<Entry, keyof By>, by: By): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const [before] = await this.#store.audits(1)
      const next = chain(entry, by, before, this.#keys)
      if (await this.#store.audit(next.n, next.entry)) return
    }
    throw new ErrandError('STORE_BUSY', { waitedMs: 0 })
  }
}
