import type { Print } from '../print.ts'

const DRAW_EVERY_MS = 100

/**
 * How far something long has come, on one line that is drawn over itself; nothing where no person looks.
 * However it ends, the line goes, and what follows stands in its place.
 */
export class Progress implements Disposable {
  readonly #print: Print
  readonly #what: string
  readonly #total: number
  #done = 0
  #drawnAt = -Infinity

  constructor(print: Print, what: string, total: number) {
    this.#print = print
    this.#what = what
    this.#total = total
  }

  add(count: number): void {
    this.#done += count
    if (performance.now() - this.#drawnAt < DRAW_EVERY_MS) return
    this.#drawnAt = performance.now()
    const share = Math.min(100, Math.floor((100 * this.#done) / Math.max(this.#total, 1)))
    const said = `${this.#what} ${`${share}`.padStart(3)} %  ${this.#done} of ${this.#total} jobs`
    this.#print.over(`${said}  ${this.#print.bar(share, 100, 'cyan')}`)
  }

  [Symbol.dispose](): void {
    this.#print.over('')
  }
}
