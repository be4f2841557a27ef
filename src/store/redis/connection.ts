import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint, isArmed } from '../../base/failpoint.ts'
import { type Clock, type Millis } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import { readAddress } from './address.ts'
import { Bells } from './bells.ts'
import { isElsewhere, isLost, isUnsent, toErrand, wordOf } from './fault.ts'
import { Keys } from './keys.ts'
import { type Identified, LAYOUT, readIdentity } from './greeting.ts'
import { scriptOf, type Verb } from './scripts.ts'
import { type Argument, connect, Wire } from './wire.ts'

export type Durability = 'full' | 'normal' | 'none'
export type ConnectionOptions = {
  clock?: Clock | undefined
  durability: Durability
  prefix?: string | undefined
}

type Call = {
  /** How the call is named for whoever breaks things on purpose. */
  as?: string
  /** Whether it may be sent again when its reply was lost. */
  again?: boolean
  /** Renewals have a line of their own: nothing that is slow may stand before them. */
  apart?: boolean
}

/** A repeat is worth its wait only while its caller still listens. */
const REPEAT_MS = 2500
const BREATH_MS = 5
const REFUSED_MS = 50

/** The lines to one store, and what is known of it. */
export class Connection implements AsyncDisposable {
  readonly keys: Keys
  readonly location: string
  readonly durability: string
  /** Whether another server may take the place of this one. */
  readonly mayFailOver: boolean
  readonly bells: Bells
  readonly #clock: Clock | undefined
  readonly #identity: string
  readonly #inCluster: boolean
  readonly #main: Wire
  readonly #apart: Wire
  #closed = false

  private constructor(
    clock: Clock | undefined,
    known: Pick<Connection, 'keys' | 'location' | 'mayFailOver' | 'bells'> & Identified,
    wires: { main: Wire; apart: Wire },
  ) {
    this.#clock = clock
    this.keys = known.keys
    this.location = known.location
    this.durability = known.durability
    this.mayFailOver = known.mayFailOver
    this.bells = known.bells
    this.#identity = known.identity
    this.#inCluster = known.inCluster
    this.#main = wires.main
    this.#apart = wires.apart
  }

  /** @throws ErrandError STORE_UNREACHABLE, STORE_UNSAFE, STORE_FULL, SCHEMA_TOO_NEW, INVALID_OPTION */
  static async open(url: string, options: ConnectionOptions): Promise<Connection> {
    const address = readAddress(url)
    const { location } = address
    const keys = keysOf(options.prefix ?? address.prefix ?? 'errand')
    const line = () => connect(address, keys.store)
    const main = new Wire(line())
    try {
      await main.ready()
      const found = await readIdentity(main.client, keys, options.durability)
      const mayFailOver = address.of !== 'server'
      const known = { ...found, keys, location, mayFailOver, bells: new Bells(line, keys) }
      return new Connection(options.clock, known, { main, apart: new Wire(line()) })
    } catch (error) {
      main.client.disconnect()
      throw toErrand(error, location)
    }
  }

  get schema(): number {
    return LAYOUT
  }

  /** Runs a verb's script: what comes back has happened. */
  async call(
    verb: Verb,
    args: readonly Argument[],
    { as = verb, again = false, apart = false }: Call = {},
  ): Promise<unknown> {
    const wire = apart ? this.#apart : this.#main
    if (isArmed()) failpoint(`${as}.before_commit`)
    const reply = await this.#repeat(again, () => {
      const time = this.#clock === undefined ? '' : `${this.#clock.now()}`
      return wire.run(scriptOf(verb, this.#inCluster), this.keys.store, [
        this.#identity,
        time,
        ...args,
      ])
    })
    if (isArmed()) failpoint(`${as}.after_commit`)
    return reply
  }

  /** A command that only reads, and needs no script. */
  ask(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#repeat(true, async () => {
      await this.#main.ready()
      return this.#main.client.callBuffer(command, ...args)
    })
  }

  async #repeat(again: boolean, send: () => Promise<unknown>): Promise<unknown> {
    const since = performance.now()
    for (;;) {
      if (this.#closed) throw new ErrandError('STORE_CLOSED', {})
      try {
        return await send()
      } catch (error) {
        const isRefused = isElsewhere(error)
        const mayRepeat = isUnsent(error) || isRefused || (again && isLost(error))
        if (!mayRepeat || performance.now() - since >= REPEAT_MS)
          throw wordOf(error) === 'ERRAND_KIND' ? error : toErrand(error, this.location)
        // The client learns only now that its line is down; a cluster takes its time.
        await sleep(isRefused ? REFUSED_MS : BREATH_MS)
      }
    }
  }

  /** Whether this is still the store it was. @throws ErrandError STORE_CHANGED */
  async check(): Promise<void> {
    const found = await this.ask('GET', this.keys.store)
    if (!Buffer.isBuffer(found) || found.toString() !== this.#identity)
      throw toErrand(changed(), this.location)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.bells[Symbol.dispose]()
    for (const { client } of [this.#main, this.#apart]) client.disconnect()
  }

  /** The store's time as a reader outside may know it. */
  now(): Millis {
    return this.#clock?.now() ?? Date.now()
  }
}

const changed = () =>
  new ErrandError('STORE_CHANGED', { why: 'its identity is missing, or another' })

/** @throws ErrandError INVALID_OPTION */
function keysOf(prefix: string): Keys {
  if (!/^[\w.-]{1,100}$/.test(prefix))
    throw new ErrandError('INVALID_OPTION', {
      option: 'prefix',
      problem: 'needs letters, digits, dots and dashes',
    })
  return new Keys(prefix)
}
