import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJson } from '../../src/base/json.ts'
import type { Claimed } from '../../src/job/job.ts'
import type { Report } from '../../src/job/outcome.ts'
import type { Policy } from '../../src/job/policy.ts'
import type { Note } from '../../src/store/contract.ts'
import type { Limits } from '../../src/worker/crew.ts'
import { ProcessCrew, type ProcessOptions } from '../../src/worker/processes.ts'
import { claimed } from './claimed.ts'
import { bytes, textOf } from './jobs.ts'
import { eventually } from './until.ts'

export const folder = mkdtempSync(join(tmpdir(), 'errand-troupe-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

export const pathOf = (file: string) => fileURLToPath(new URL(`../worker/${file}`, import.meta.url))
const ENTRY = pathOf('../../src/cli/executor.ts')
const APP = pathOf('fixture.app.ts')

/** A crew of real processes, and all it says. */
export class Troupe implements AsyncDisposable {
  readonly crew: ProcessCrew
  readonly notes: Note[] = []
  readonly cutOff: string[] = []
  readonly #reports = new Map<string, PromiseWithResolvers<Report>>()

  constructor(crew: ProcessCrew) {
    this.crew = crew
    crew.listen({
      report: (job, report) => this.#reportOf(job).resolve(report),
      note: (note) => void this.notes.push(note),
      take: () => undefined,
      ring: () => undefined,
      cutOff: ({ id }) => void this.cutOff.push(id),
    })
  }

  static async start(over: Partial<ProcessOptions> = {}): Promise<Troupe> {
    return new Troupe(await start(over))
  }

  begin(
    job: string,
    { input = 'null', limits = LONG, policy = {}, over = {} }: Beginning = {},
  ): Claimed {
    const given = claimed(policy, { job, input: bytes(input), ...over })
    this.crew.begin(given, limits)
    return given
  }

  report(job: Claimed): Promise<Report> {
    return this.#reportOf(job).promise
  }

  /** The process a job told of by its progress or its log. */
  async pidOf(job: Claimed): Promise<number> {
    const note = await eventually(() => this.notes.find(({ id }) => id === job.id))
    const told = textOf(note.progress) ?? ''
    return Number(note.log?.[0]?.text ?? /\d+/.exec(told)?.[0])
  }

  #reportOf({ id }: Claimed): PromiseWithResolvers<Report> {
    const report = this.#reports.get(id) ?? Promise.withResolvers<Report>()
    this.#reports.set(id, report)
    return report
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.crew.abandon()
    return this.crew[Symbol.asyncDispose]()
  }
}

type Beginning = {
  input?: string
  limits?: Limits
  policy?: Partial<Policy>
  over?: Partial<Claimed>
}

/** Time enough for anything here. */
export const LONG: Limits = { softMs: 300_000, hardMs: 305_000, attemptsMax: 4, now: Date.now() }

export const start = (over: Partial<ProcessOptions> = {}): Promise<ProcessCrew> =>
  ProcessCrew.start({
    entry: ENTRY,
    args: [APP, folder],
    processes: 1,
    concurrency: 2,
    maxJobs: 1000,
    maxMemoryMb: 4096,
    overloadMs: 1000,
    onError: () => undefined,
    ...over,
  })

/** A job's result, begun again for as long as it is handed back. */
export const resultOf = (troupe: Troupe, name: string): Promise<unknown> =>
  eventually(async () => {
    const report = await troupe.report(troupe.begin(name))
    return report.how === 'completed' && decodeJson(report.result ?? bytes('null'))
  })
