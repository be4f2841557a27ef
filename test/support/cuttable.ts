import { ErrandError } from '../../src/job/errors.ts'
import type { Store } from '../../src/store/contract.ts'
import { callOn, divert } from './rotation.ts'

/** What goes wrong once: the call never arrives, or it arrives and its reply is lost. */
export type Cut = 'before' | 'after'

/** A store whose line is cut on demand. */
export class Cuttable {
  readonly store: Store
  /** The calls that arrived, by name. */
  readonly arrived: string[] = []
  readonly #cuts: { verb: string; cut: Cut }[] = []

  constructor(store: Store) {
    this.store = divert(store, (name, args) => this.#call(store, name, args))
  }

  /** Cuts the line at the next call of this verb; asked twice, at the next two. */
  cut(verb: keyof Store & string, cut: Cut): void {
    this.#cuts.push({ verb, cut })
  }

  #call(store: Store, name: string | symbol, args: unknown[]): unknown {
    const at = this.#cuts.findIndex(({ verb }) => verb === name)
    const [next] = at === -1 ? [] : this.#cuts.splice(at, 1)
    if (next?.cut === 'before') return Promise.reject(lineCut())
    this.arrived.push(String(name))
    const reply = callOn(store, name, args)
    return next === undefined ? reply : Promise.resolve(reply).then(() => Promise.reject(lineCut()))
  }
}

const lineCut = () => new ErrandError('STORE_UNREACHABLE', { why: 'the line was cut' })
