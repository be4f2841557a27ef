import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/**
 * The world outside: what handlers did, written down where no store can forget it. A line is one
 * append, so lines of all processes stand in one order and outlive whoever wrote them.
 */
export type Entry =
  /** A producer is about to submit, and has been told that it is accepted. */
  | { what: 'intent'; key: string; kind: string }
  | { what: 'ack'; key: string; kind: string; id: string }
  | { what: 'begin'; id: string; fence: number; pid: number }
  | { what: 'effect' | 'end'; id: string; fence: number }
  | { what: 'hook'; id: string; fence: number; state: string }

export class Ledger {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  write(entry: Entry): void {
    appendFileSync(this.#file, `${JSON.stringify({ ...entry, at: Date.now() })}\n`)
  }

  read(): (Entry & { at: number })[] {
    if (!existsSync(this.#file)) return []
    return readFileSync(this.#file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
}
