import { createHash } from 'node:crypto'
import { type Desk, ErrandError, hasCode, type JobView } from 'errand'
import { HTTPException } from 'hono/http-exception'
import type { Who } from '../common/who.ts'
import { report, type ReportInput, uniqueOf } from './contract.ts'
import type { Messages } from './messages.ts'
import { inputOf, type Query, type Wish } from './query.ts'
import type { Settings } from './settings.ts'
import { Turns } from './turns.ts'
import { tagsOf, type Task, toTask, wordsOf } from './task.ts'

const OPEN = ['scheduled', 'ready', 'running', 'waiting'] as const
const LISTED = 50

/** No reports are made just now, and why. */
export type Paused = { paused: string }

/** The reports of services: asked for, on their way, there. Whoever asks, there is one way to one. */
export class Reports {
  readonly #errand: Desk
  readonly #messages: Messages
  readonly #settings: Settings
  readonly #turns = new Turns()

  constructor(errand: Desk, messages: Messages, settings: Settings) {
    this.#errand = errand
    this.#messages = messages
    this.#settings = settings
  }

  /** Joins the report that is made, finds the one that is there, or has one made. */
  async request(who: Who, { filename, again, ...query }: Query & Wish): Promise<Task | Paused> {
    const input = inputOf(query, who.tenant, filename, this.#settings)
    const held = await this.#last(who.tenant, input)
    if (held && !(again && isWorthAnother(this.#task(held)))) {
      await this.#note(who, held)
      return this.#told(held, who.tenant)
    }
    return this.#turns.take(ownerOf(who), async () => {
      const paused = await this.#paused()
      if (paused) return paused
      await this.#refuse(who, input)
      const begun = await this.#errand.job(await this.#begin(who, input, held), who.tenant)
      // Another server may have been faster.
      await this.#note(who, begun)
      return this.#told(begun, who.tenant)
    })
  }

  /** A report of one's own service; others do not exist. @throws ErrandError JOB_NOT_FOUND */
  async one({ tenant }: Who, id: string): Promise<Task> {
    const view = await this.#errand.job(id, tenant)
    if (view.job !== report.name) throw new ErrandError('JOB_NOT_FOUND', { id })
    return this.#told(view, tenant)
  }

  /** Somebody else's is theirs too from now on. */
  async #note(who: Who, { id, tags = [] }: JobView): Promise<void> {
    if (tags.includes(ownerOf(who))) return
    await this.#messages.noteAsked(who.tenant, markOf(who), id)
  }

  /** What one person asked for or joined, the newest first, and those of the service whose ids they bring. */
  async of(who: Who, ids: readonly string[]): Promise<Task[]> {
    const { jobs } = await this.#errand.list(
      { tenant: who.tenant, job: report.name, tag: ownerOf(who) },
      LISTED,
    )
    const own = jobs.map((view) => view.id)
    const joined = await this.#messages.askedBy(who.tenant, markOf(who))
    const more = [...new Set([...joined, ...ids])].filter((id) => !own.includes(id))
    const others = more.map((id) => this.one(who, id))
    const found = (await Promise.allSettled(others)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    )
    return [...(await Promise.all(jobs.map((view) => this.#told(view, who.tenant)))), ...found]
  }

  /** What a report would hold, and why it would be refused; asked before the button is offered. */
  async preview({ tenant }: Who, query: Query) {
    const input = inputOf(query, tenant, undefined, this.#settings)
    const count = await this.#messages.count(tenant, input)
    const { zone, rowsMax, carrierUrl } = this.#settings
    const reason = count === 0 ? 'no_data' : count > rowsMax ? 'too_large' : undefined
    const { from, to } = input
    // Who looks at the page is told that nobody is called.
    const isMadeUp = carrierUrl === undefined
    return { count, max: rowsMax, from, to, zone, made_up: isMadeUp, ...(reason && { reason }) }
  }

  /** How many workers make reports: none while they are paused, or wait for a worker that has what it takes. */
  async workers(): Promise<number> {
    const [workers, paused, { jobs: stranded }] = await Promise.all([
      this.#errand.workers(),
      this.#paused(),
      this.#errand.list({ job: report.name, state: 'waiting' }, 1),
    ])
    if (paused || stranded.length > 0) return 0
    return workers.filter(({ alive, queues = [] }) => {
      return alive && (queues.length === 0 || queues.includes(report.queue))
    }).length
  }

  /** The report of this window that is made or there, else the one that failed. */
  async #last(tenant: string, input: ReportInput): Promise<JobView | undefined> {
    const held = await this.#errand.find(report, uniqueOf(input), tenant)
    if (held) return held
    const { jobs } = await this.#errand.list({ tenant, job: report.name, tag: uniqueOf(input) }, 1)
    return jobs[0]
  }

  /** Somebody paused the queue: what is there is found, and nothing new is begun. */
  async #paused(): Promise<Paused | undefined> {
    const queues = await this.#errand.queues()
    const paused = queues.find(({ queue }) => queue === report.queue)?.paused
    return paused && { paused: paused.reason ?? 'No reports are made just now.' }
  }

  /** @throws HTTPException 403 (too large), 429 (too many of one's own) */
  async #refuse(who: Who, input: ReportInput): Promise<void> {
    const { rowsMax, perOwner } = this.#settings
    const count = await this.#messages.count(who.tenant, input)
    if (count > rowsMax)
      throw new HTTPException(403, {
        message: `This report would have ${count} rows; ${rowsMax} at most are made.`,
      })
    if ((await this.#countOpen(who)) >= perOwner) throw this.#tooMany()
  }

  #tooMany(): HTTPException {
    const { perOwner } = this.#settings
    const message = `${perOwner} reports of yours are on their way; wait for one of them.`
    return new HTTPException(429, { message })
  }

  async #countOpen(who: Who): Promise<number> {
    const filter = { tenant: who.tenant, job: report.name, tag: ownerOf(who) }
    const lists = OPEN.map((state) =>
      this.#errand.list({ ...filter, state }, this.#settings.perOwner),
    )
    return (await Promise.all(lists)).reduce((count, { jobs }) => count + jobs.length, 0)
  }

  async #begin(who: Who, input: ReportInput, held: JobView | undefined): Promise<string> {
    if (held?.state === 'failed' || held?.state === 'cancelled') {
      await this.#errand.retry(held.id).catch(unlessDone)
      return (await this.#last(who.tenant, input))?.id ?? held.id
    }
    if (held) await this.#errand.erase(held.id).catch(unlessDone)
    const owner = ownerOf(who)
    const options = {
      tenant: who.tenant,
      tags: [owner, ...tagsOf(input)],
      // Where several servers are asked at once, the store still lets no more of them wait.
      limits: [{ key: owner, pending: this.#settings.perOwner }],
    }
    try {
      return (await this.#errand.enqueue(report, input, options)).id
    } catch (error) {
      throw hasCode(error, 'LIMIT_REACHED') ? this.#tooMany() : error
    }
  }

  #task(view: JobView): Task {
    return toTask(view, { errand: this.#errand, zone: this.#settings.zone })
  }

  /** A service that sent nothing has no report: the one that is there from another day goes with it. */
  async #told(view: JobView, tenant: string): Promise<Task> {
    const task = this.#task(view)
    if (task.status === 'complete' && task.empty) {
      const { jobs } = await this.#errand.list(
        { tenant, job: report.name, tag: wordsOf(task) },
        LISTED,
      )
      const stale = jobs.filter(({ id, state, createdAt }) => {
        return id !== view.id && state === 'completed' && createdAt < view.createdAt
      })
      for (const { id } of stale) await this.#errand.erase(id).catch(unlessDone)
    }
    return task
  }
}

const isWorthAnother = ({ status, empty }: Task): boolean =>
  status === 'failed' || status === 'expired' || (status === 'complete' && empty === true)

/** A person, as it may lie in a store: told again, but not by name. */
const markOf = ({ tenant, user }: Who): string =>
  createHash('sha256').update(`${tenant}\n${user}`).digest('base64url').slice(0, 22)

const ownerOf = (who: Who): string => `reports:${markOf(who)}`

/** Somebody else was faster: what was to be done is done. */
function unlessDone(error: unknown): void {
  const codes = ['JOB_NOT_FOUND', 'WRONG_STATE', 'UNIQUE_TAKEN'] as const
  if (!codes.some((code) => hasCode(error, code))) throw error
}
