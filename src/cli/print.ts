import { stripVTControlCharacters, styleText } from 'node:util'
import type { State } from '../job/state.ts'

type Style = Parameters<typeof styleText>[0]
export type Out = NodeJS.WritableStream & { isTTY?: boolean }

const COLOURS: Readonly<Record<State, Style>> = {
  scheduled: 'blue',
  ready: 'cyan',
  running: 'yellow',
  waiting: 'magenta',
  completed: 'green',
  failed: 'red',
  cancelled: 'gray',
}

/** Says things to people, or as one JSON document to programs. */
export class Print {
  readonly tty: boolean
  readonly #json: boolean
  readonly #out: Out
  readonly #err: Out

  constructor(json = false, out: Out = process.stdout, err: Out = process.stderr) {
    this.#json = json
    this.#out = out
    this.#err = err
    this.tty = out.isTTY === true
  }

  /** The same beside an answer that takes all of standard output. */
  aside(): Print {
    return new Print(this.#json, this.#err, this.#err)
  }

  /** Prints the value itself when JSON was asked for, else the page made of it. */
  show(value: unknown, page: () => string): void {
    this.#write(this.#out, value, page)
  }

  /** The same on the error stream. */
  fail(value: unknown, page: () => string): void {
    this.#write(this.#err, value, page)
  }

  /** A remark beside the answer, so that a pipe carries the answer alone. */
  note(text: string): void {
    if (!this.#json) this.#err.write(`${text}\n`)
  }

  /** Empties the screen; nothing happens where there is none. */
  clear(): void {
    if (this.tty && !this.#json) this.#out.write('\u001b[H\u001b[2J\u001b[3J')
  }

  /** Writes over the line that was written so before; nothing happens where there is no screen. */
  over(text: string): void {
    if (this.#err.isTTY && !this.#json) this.#err.write(`\r\u001b[K${text}`)
  }

  /** Colours a text on a terminal that wants colours. */
  paint(style: Style, text: string): string {
    return this.tty ? styleText(style, text, { stream: this.#out, validateStream: true }) : text
  }

  state(state: State): string {
    return this.paint(COLOURS[state], state)
  }

  heading(text: string): string {
    return this.paint('bold', text)
  }

  table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
    const head = titles.map((title) => this.heading(title))
    return columns(rows.length === 0 || titles.length === 0 ? rows : [head, ...rows])
  }

  /** As long as the count is large beside the largest; never empty for one that is there. */
  bar(amount: number, most: number, style: Style, width = 30): string {
    const length = amount === 0 ? 0 : Math.max(1, Math.round((amount / Math.max(most, 1)) * width))
    return this.paint(style, '█'.repeat(Math.min(length, width)))
  }

  #write(stream: Out, value: unknown, page: () => string): void {
    const text = this.#json ? JSON.stringify(value, null, stream.isTTY ? 2 : undefined) : page()
    if (text !== '') stream.write(`${text}\n`)
  }
}

/** Rows as aligned columns, two spaces apart. Colours take no room. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, lengthOf(cell))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - lengthOf(cell)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

const lengthOf = (cell: string) => stripVTControlCharacters(cell).length

/**
 * What a job said of itself, without the control characters that could move the cursor or
 * recolour the terminal of whoever reads it.
 */
export const clean = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\t\n]/gu, '')

/** The same on one line, and not longer than fits. */
export function brief(text: string, max = 60): string {
  const line = clean(text).replaceAll(/\s+/g, ' ').trim()
  return line.length > max ? `${line.slice(0, max - 1)}…` : line
}

/** `1 job`, `2 jobs`. */
export const counted = (count: number, noun: string, many = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : many}`
