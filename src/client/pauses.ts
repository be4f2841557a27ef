import { newId } from '../base/id.ts'
import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { By } from '../job/audit.ts'
import { ErrandError } from '../job/errors.ts'
import { readName, readText } from '../job/options.ts'
import type { Keyring } from '../job/seal.ts'
import { encodePause, type PauseView, toPauseView } from '../job/pause.ts'
import {
  type Change,
  ENTRIES_MAX,
  type Entry,
  type Intake,
  type Lookout,
  PAUSE,
} from '../store/contract.ts'
import { AuditLog, type OnBehalf } from './audit.ts'

export type PauseOptions = {
  /** Why, for all who look: at most 500 characters, kept as they are. */
  reason?: string
} & OnBehalf

type Store = Pick<Intake, 'put' | 'audit'> & Pick<Lookout, 'entries' | 'audits'>

const REASON_MAX = 500
/** Others may pause and resume the same queue at the same moment, but not for ever. */
const TRIES_MAX = 20

/** Queues that hand nothing out until they are resumed. */
export class Pauses {
  readonly #store: Store
  readonly #log: AuditLog

  constructor(store: Store, keys?: Keyring) {
    this.#store = store
    this.#log = new AuditLog(store, keys)
  }

  /**
   * Has a queue hand nothing out, from the next claim of any worker on. It goes on taking jobs in, and what runs goes on.
   * One that is paused already stays so as it was, and `already` says so.
   * @throws ErrandError INVALID_OPTION, PAUSES_FULL
   */
  async pause(
    queue: string,
    { reason, by }: PauseOptions = {},
  ): Promise<{ paused: PauseView; already: boolean }> {
    readName('queue', queue)
    if (reason !== undefined) readText('reason', reason, { max: REASON_MAX })
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { entry, now } = await this.#look(queue)
      if (entry) return { paused: toPauseView(entry.value), already: true }
      if (tries === 0)
        await this.#write(
          'pause',
          queue,
          by && { ...by, ...(reason !== undefined && { note: reason }) },
        )
      const value = encodePause({
        at: now,
        ...(by?.person !== undefined && { person: by.person }),
        ...(reason !== undefined && { reason }),
      })
      if (await this.#put(queue, undefined, value))
        return { paused: toPauseView(value), already: false }
    }
    throw new ErrandError('STORE_BUSY', { waitedMs: 0 })
  }

  /** Has a queue hand out again, in its order. @throws ErrandError INVALID_OPTION */
  async resume(queue: string, { by }: OnBehalf = {}): Promise<{ already: boolean }> {
    readName('queue', queue)
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { entry } = await this.#look(queue)
      if (entry === undefined) return { already: true }
      if (tries === 0) await this.#write('resume', queue, by)
      if (await this.#put(queue, entry.stamp)) return { already: false }
    }
    throw new ErrandError('STORE_BUSY', { waitedMs: 0 })
  }

  async #look(queue: string): Promise<{ entry: Entry | undefined; now: Millis }> {
    const { entries, now } = await this.#store.entries(PAUSE, { name: queue })
    return { entry: entries[0], now }
  }

  /** Whether nobody came between. */
  async #put(name: string, expect: string | undefined, value?: Bytes): Promise<boolean> {
    const change: Change = {
      kind: PAUSE,
      name,
      stamp: newId(),
      ...(expect !== undefined && { expect }),
      ...(value && { value }),
    }
    const [put = { refused: 'changed' }] = await this.#store.put([change])
    if ('jobs' in put) return true
    if (put.refused === 'full') throw new ErrandError('PAUSES_FULL', { max: ENTRIES_MAX })
    return false
  }

  #write(act: 'pause' | 'resume', queue: string, by: By | undefined): Promise<void> {
    return this.#log.write({ act, jobs: [], queue }, by)
  }
}
