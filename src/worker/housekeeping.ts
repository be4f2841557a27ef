import { failpoint } from '../base/failpoint.ts'
import type { Millis } from '../base/time.ts'
import { isEnded } from '../job/state.ts'
import type { Files } from '../files/contract.ts'
import type { Intake, Lookout, Workbench } from '../store/contract.ts'
import { foldMetrics } from './stats.ts'
import { StoppedBatches } from './stopped.ts'

type Parts = {
  store: Workbench & Pick<Lookout, 'find'> & Pick<Intake, 'cancel'>
  files: Files
  manifest: readonly string[]
  everyMs: Millis
  auditKeepMs: Millis
  askSweep: () => void
  /** Claims before those hear of it who would only set aside again what was released. */
  claimNow: () => void
  /** Sees to it that the schedules of the app's code stand as named. */
  keepPlans: () => Promise<void>
  onError: (error: unknown) => void
}

const PURGE_MAX = 1000
const STRAY_AGE_MS = 86_400_000
const STRAYS_EVERY_MS = 3_600_000
const PLANS_EVERY = 30

/**
 * What every worker does beside running jobs: look for dead workers, wake parked jobs, end what is left of
 * stopped batches, apply retention.
 */
export class Housekeeping implements Disposable {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #straysAt: Millis = performance.now() + STRAYS_EVERY_MS
  readonly #stopped: StoppedBatches
  #rounds = 0
  #over = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stopped = new StoppedBatches(parts.store)
    this.#next()
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  #next(): void {
    // Spread, so that workers started together do not look together.
    const ms = this.#parts.everyMs * (0.75 + Math.random() / 2)
    if (!this.#over) this.#timer = setTimeout(() => void this.#round(), ms)
  }

  async #round(): Promise<void> {
    const { store, manifest, onError, askSweep, claimNow, keepPlans } = this.#parts
    try {
      if (++this.#rounds % PLANS_EVERY === 0) await keepPlans()
      await Promise.all([
        store.unpark(manifest).then((released) => released > 0 && claimNow()),
        store.bury(foldMetrics),
        this.#retain(),
        this.#stopped.round(),
      ])
    } catch (error) {
      onError(error)
    }
    // Not before: who sweeps claims nothing meanwhile.
    askSweep()
    this.#next()
  }

  async #retain(): Promise<void> {
    await retain(this.#parts)
    if (performance.now() >= this.#straysAt) await this.#removeStrays()
  }

  /** Files of attempts that were killed: their job is gone, or ended without them. */
  async #removeStrays(): Promise<void> {
    const { store, files } = this.#parts
    this.#straysAt = performance.now() + STRAYS_EVERY_MS
    const ids = await files.untouched(STRAY_AGE_MS, PURGE_MAX)
    const jobs = await store.find(ids)
    for (const [i, id] of ids.entries()) {
      const job = jobs[i]
      if (job === undefined || (isEnded(job.state) && job.artifacts.length === 0))
        await files.removeAll(id)
    }
  }
}

/** Bytes go before the rows that name them: a row without a file would be a broken promise. */
export async function retain({
  store,
  files,
  auditKeepMs,
}: Pick<Parts, 'files' | 'auditKeepMs'> & { store: Workbench }) {
  const expired = await store.expired(PURGE_MAX)
  for (const { id, fence, file } of expired) await files.remove({ id, fence, file })
  failpoint('retain.removed')
  if (expired.length > 0) await store.forget(expired)
  const { withFiles } = await store.purge(PURGE_MAX, auditKeepMs)
  for (const id of withFiles) await files.removeAll(id)
}
