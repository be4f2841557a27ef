import type { WorkerId } from '../job/job.ts'
import type { Answer, Note, Workbench } from '../store/contract.ts'

const NOTES_MAX = 10_000

type Parts = {
  bench: Pick<Workbench, 'note'>
  worker: WorkerId
  /** Somebody waits to hear of a step. */
  onNoted: (note: Note, answer: Answer) => void
  onError: (error: unknown) => void
}

/** Progress, log lines and steps on their way to the store, all of a turn of the event loop in one trip. */
export class Notes {
  readonly #parts: Parts
  #unsent: Note[] = []

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** While the store is away for long what comes last is dropped; never a step, whose handler waits for it. */
  add(note: Note): void {
    if (note.step !== undefined || this.#unsent.length < NOTES_MAX) this.#unsent.push(note)
  }

  send(): void {
    const notes = this.#unsent.splice(0)
    if (notes.length > 0) void this.#send(notes)
  }

  async #send(notes: Note[]): Promise<void> {
    const { bench, worker, onNoted, onError } = this.#parts
    try {
      const answers = await bench.note(worker, notes)
      for (const [i, note] of notes.entries()) if (note.step) onNoted(note, answers[i] ?? 'gone')
    } catch (error) {
      this.#unsent = [...notes, ...this.#unsent].filter((note, i) => note.step || i < NOTES_MAX)
      onError(error)
    }
  }
}
