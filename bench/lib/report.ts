import { availableParallelism } from 'node:os'
import { figure, table } from './table.ts'

export type Machine = { cpus: number; node: string; sqlite: string }

/** One figure, and all that is needed to read it. Rates are per second, times in milliseconds. */
export type Measurement = {
  bench: string
  what: string
  store: string
  durability: string
  unit: 'jobs/s' | 'ms'
  value: number
  runs?: readonly number[]
  machine: Machine
}

export const machine: Machine = {
  cpus: availableParallelism(),
  node: process.version,
  sqlite: process.versions['sqlite'] ?? 'unknown',
}

/** Collects what one program measured: a JSON line each as they come, a table at the end. */
export class Report implements Disposable {
  readonly #bench: string
  readonly #seen: Measurement[] = []

  constructor(bench: string) {
    this.#bench = bench
  }

  add(measured: Omit<Measurement, 'bench' | 'machine'>): void {
    const measurement = { bench: this.#bench, ...measured, machine }
    this.#seen.push(measurement)
    console.log(JSON.stringify(measurement))
  }

  [Symbol.dispose](): void {
    const rows = this.#seen.map(({ what, value, unit, store, durability }) => [
      what,
      figure(value),
      unit,
      store,
      durability,
    ])
    console.log(`\n${table([this.#bench, 'value', 'unit', 'store', 'durability'], rows)}`)
  }
}
