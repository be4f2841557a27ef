import type { WorkerId } from '../job/job.ts'
import type { Note, Workbench } from '../store/contract.ts'

const NOTES_MAX = 10_000

/** Progress and log lines on their way to the store, all of a turn of the event loop in one trip. */
export class Notes {
  readonly #bench: Pick<Workbench, 'note'>
  readonly #worker: WorkerId
  readonly #onError: (error: unknown) => void
  #unsent: Note[] = []

  constructor(bench: Pick<Workbench, 'note'>, worker: WorkerId, onError: (error: unknown) => void) {
    this.#bench = bench
    this.#worker = worker
    this.#onError = onError
  }

  /** What comes while the store is away for long is dropped, the newest first. */
  add(note: Note): void {
    if (this.#unsent.length < NOTES_MAX) this.#unsent.push(note)
  }

  send(): void {
    const notes = this.#unsent.splice(0)
    if (notes.length === 0) return
    this.#bench.note(this.#worker, notes).catch((error: unknown) => {
      this.#unsent = [...notes, ...this.#unsent].slice(0, NOTES_MAX)
      this.#onError(error)
    })
  }
}
