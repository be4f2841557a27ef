import type { JobView } from 'errand'

const KEPT = 10_000

/** What was told to whom lately: a page that looks again every second is one reading of each event, not thousands. */
export class Readings {
  readonly #told = new Set<string>()

  /** Those that this reader was not told of before. */
  news(reader: string, ended: readonly Pick<JobView, 'id' | 'endedAt'>[]): string[] {
    const news = ended.filter(({ id, endedAt }) => {
      const reading = `${reader} ${id} ${endedAt}`
      return !this.#told.has(reading) && this.#told.add(reading)
    })
    for (const oldest of this.#told) {
      if (this.#told.size <= KEPT) break
      this.#told.delete(oldest)
    }
    return news.map(({ id }) => id)
  }
}
