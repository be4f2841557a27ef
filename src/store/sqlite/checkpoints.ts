import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

const LOOK_EVERY = 64
const WAL_BYTES = 1_048_576

/**
 * Moves the write-ahead log back into the database on a thread of its own: done by the connection that
 * commits, it would hold up a server for tens of milliseconds. The thread begins once there is work.
 */
export class Checkpoints implements AsyncDisposable {
  readonly #file: string | undefined
  #commits = 0
  #thread: Worker | undefined

  constructor(file: string | undefined) {
    this.#file = file
  }

  committed(): void {
    if (this.#file === undefined || this.#thread || ++this.#commits % LOOK_EVERY > 0) return
    if ((statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0) < WAL_BYTES) return
    const thread = new Worker(new URL('./checkpointer.ts', import.meta.url), {
      workerData: this.#file,
    })
    thread.unref()
    // It begins anew at a later commit; until then the log only grows.
    thread.on('error', () => (this.#thread = undefined))
    this.#thread = thread
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate()
  }
}
