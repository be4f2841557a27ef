type Counted = { jobs: number; ms: number; tailJobs: number; tailMs: number; latencies: number[] }

/** What a worker counts by itself: from the first line of one handler to that of a later one. */
export class Tally {
  readonly #moment: () => number
  #wanted = Infinity
  #seen = 0
  /** Those that were there when the clock started do not count. */
  #early = 0
  #tailFrom = Infinity
  #startedAt = 0
  #tailAt = 0
  #lastAt = 0
  #latencies: number[] = []
  #reached = Promise.withResolvers<void>()

  constructor(moment: () => number) {
    this.#moment = moment
  }

  handle = (data?: object, jobs = 1): void => {
    if (data !== undefined && 'sentAt' in data)
      this.#latencies.push(this.#moment() - Number(data.sentAt))
    const before = this.#seen
    this.#seen += jobs
    if (before === 0) {
      this.#startedAt = this.#moment()
      this.#early = jobs
    }
    if (before < this.#tailFrom && this.#seen >= this.#tailFrom) this.#tailAt = this.#moment()
    if (before < this.#wanted && this.#seen >= this.#wanted) {
      this.#lastAt = this.#moment()
      this.#reached.resolve()
    }
  }

  /** Begins anew. Answers when so many more have begun, or when time is up; the tail is the last tenth. */
  async count(wanted: number, seconds: number): Promise<Counted> {
    this.#wanted = wanted
    this.#tailFrom = Math.ceil(wanted * 0.9)
    this.#seen = 0
    this.#early = 0
    this.#startedAt = this.#moment()
    this.#latencies = []
    this.#reached = Promise.withResolvers()
    const late = setTimeout(this.#reached.resolve, seconds * 1000)
    await this.#reached.promise
    clearTimeout(late)
    const isWhole = this.#seen >= wanted
    const end = isWhole ? this.#lastAt : this.#moment()
    return {
      jobs: (isWhole ? wanted : this.#seen) - this.#early,
      ms: end - this.#startedAt,
      tailJobs: isWhole ? wanted - this.#tailFrom : 0,
      tailMs: isWhole ? end - this.#tailAt : 0,
      latencies: this.#latencies,
    }
  }
}
