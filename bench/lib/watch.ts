import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch } from '../../src/job/batch.ts'
import type { JobId } from '../../src/job/job.ts'
import type { Lookout } from '../../src/store/contract.ts'

const LOOK_MS = 20

/** Looks at a batch all the while: what it counts never falls, and is exact in the end. */
export class Watch {
  readonly #store: Pick<Lookout, 'findBatches' | 'tally'>
  readonly #id: JobId
  readonly #looking: Promise<void>
  #isOver = false
  #looks = 0

  constructor(store: Pick<Lookout, 'findBatches' | 'tally'>, id: JobId) {
    this.#store = store
    this.#id = id
    this.#looking = this.#look()
    // Heard at the end.
    this.#looking.catch(() => undefined)
  }

  async #look(): Promise<void> {
    let before: Batch | undefined
    while (!this.#isOver) {
      await sleep(LOOK_MS)
      const [batch] = await this.#store.findBatches([this.#id])
      if (!batch) continue
      this.#looks++
      const { items, completed, failed } = batch
      const hasFallen =
        before && (items < before.items || completed < before.completed || failed < before.failed)
      if (hasFallen || completed + failed > items)
        throw new Error(`it counts ${JSON.stringify(batch)}`)
      before = batch
    }
  }

  /** @returns how often it looked */
  async end({ items, failed }: { items: number; failed: number }): Promise<number> {
    this.#isOver = true
    await this.#looking
    const [batch] = await this.#store.findBatches([this.#id])
    const is = [batch?.items, batch?.completed, batch?.failed, batch?.endings]
    const { accepted } = (await this.#store.tally()).find(({ queue }) => queue === 'ends') ?? {}
    const isExact = JSON.stringify(is) === JSON.stringify([items, items - failed, failed, 1])
    if (!isExact || accepted !== 1 || batch?.endedAt === undefined)
      throw new Error(`it ended as ${JSON.stringify(batch)}, with ${accepted} jobs at its end`)
    return this.#looks
  }
}
