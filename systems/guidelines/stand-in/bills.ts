import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'

const Bill = z.object({ key: z.string(), step: z.string(), at: z.string(), secret: z.string() })
export type Bill = z.infer<typeof Bill>

/** Who was billed for what: one line for each idempotency key, in a file that outlives the process. No text is in it. */
export class Bills {
  readonly #file: string | undefined
  readonly #bills = new Map<string, Bill>()

  constructor(file?: string) {
    this.#file = file
    if (file === undefined) return
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (!existsSync(file)) return
    for (const line of readFileSync(file, 'utf8').split('\n'))
      if (line !== '') this.#keep(Bill.parse(JSON.parse(line)))
  }

  /** A repeated call under the same key costs nothing. */
  add(bill: Bill): void {
    if (this.#bills.has(bill.key)) return
    this.#keep(bill)
    if (this.#file !== undefined)
      appendFileSync(this.#file, `${JSON.stringify(bill)}\n`, { mode: 0o600 })
  }

  list(): Bill[] {
    return [...this.#bills.values()]
  }

  #keep(bill: Bill): void {
    this.#bills.set(bill.key, bill)
  }
}
