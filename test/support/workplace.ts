import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../src/client/client.ts'
import { DiskFiles } from '../../src/files/disk/disk.ts'
import type { Resources } from '../../src/job/context.ts'
import type { Definition, Handler } from '../../src/job/define.ts'
import type { Job, JobId } from '../../src/job/job.ts'
import { isEnded, type State } from '../../src/job/state.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import type { Crew } from '../../src/worker/crew.ts'
import { InlineCrew } from '../../src/worker/inline.ts'
import type { WorkerSettings } from '../../src/worker/settings.ts'
import { Worker } from '../../src/worker/worker.ts'
import { HandClock } from './clock.ts'
import { seen } from './hand.ts'
import { until } from './until.ts'

/** Quick to look again, so that a clock moved by hand is soon noticed; slow to keep house. */
const SETTINGS: Partial<WorkerSettings> = { pollMs: 5, sweepMs: 600_000, graceMs: 60_000 }

/** A store in memory under a clock moved by hand, a folder for files, and workers in this process. */
export class Workplace implements AsyncDisposable {
  readonly clock: HandClock
  readonly folder = mkdtempSync(join(tmpdir(), 'errand-work-'))
  readonly files = new DiskFiles(this.folder)
  readonly errors: unknown[] = []
  readonly client: Client
  readonly watch: Watch
  readonly #workers: Worker[] = []
  /** What workers see: the store, or a line to it that a test can cut. */
  store: Store

  private constructor(clock: HandClock, store: Store, jobs: readonly Definition[]) {
    this.clock = clock
    this.store = store
    this.client = new Client(this.store, jobs)
    this.watch = new Watch(this.store)
  }

  static async open(...jobs: Definition[]): Promise<Workplace> {
    const clock = new HandClock()
    const store = await SqliteStore.open(':memory:', { clock })
    return new Workplace(clock, store, jobs)
  }

  crew(handlers: readonly Handler[], concurrency = 10, resources?: Resources): InlineCrew {
    return new InlineCrew(
      handlers,
      { files: this.files, resources, scratch: this.folder },
      concurrency,
    )
  }

  /** Starts a worker; the workplace stops it. */
  async work(crew: Crew, settings: Partial<WorkerSettings> = {}): Promise<Worker> {
    const worker = await Worker.start({
      store: this.store,
      files: this.files,
      crew,
      settings: { ...SETTINGS, ...settings },
      onError: (error) => this.errors.push(error),
    })
    this.#workers.push(worker)
    return worker
  }

  /** The job once it is in this state, or has ended. */
  reaches(id: JobId, state: State): Promise<Job> {
    return until(this.store, async () => {
      const job = await seen(this.store, id)
      return (job.state === state || isEnded(job.state)) && job
    })
  }

  ended(id: JobId): Promise<Job> {
    return this.reaches(id, 'completed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    this.watch[Symbol.dispose]()
    await this.store[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
