import { z } from 'zod'

/** What befalls requests that fit, instead of or before their answer. */
export const Mishap = z.strictObject({
  method: z.string().optional(),
  /** How the path begins; any unless said. */
  path: z.string().default('/'),
  /** How many that fit are let pass before. */
  skip: z.int().min(0).default(0),
  /** How many it befalls; all unless said. */
  times: z.int().min(1).optional(),
  /** What they wait first. */
  delayMs: z.int().min(0).default(0),
  /** Answered with this, and nothing is done. */
  status: z.int().min(400).max(599).optional(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
  /** The line is cut: before anything is done, or once it is done, before the answer. */
  lose: z.enum(['request', 'reply']).optional(),
})
export type Mishap = z.infer<typeof Mishap>

/** A list of mishaps, used up from its front; of those that fit a request the first befalls it. */
export class Mishaps {
  #list: Mishap[] = []

  set(list: readonly Mishap[]): void {
    this.#list = list.map((mishap) => ({ ...mishap }))
  }

  get left(): readonly Mishap[] {
    return this.#list
  }

  take(method: string, path: string): Mishap | undefined {
    const found = this.#list.find(
      (one) => path.startsWith(one.path) && (one.method ?? method) === method,
    )
    if (found === undefined) return undefined
    if (found.skip > 0) {
      found.skip--
      return undefined
    }
    if (found.times !== undefined && --found.times === 0)
      this.#list = this.#list.filter((one) => one !== found)
    return found
  }
}
