import type { Topic } from '../contract.ts'

/**
 * The names of what a store keeps, for the few that are not reached by a script. All of a store lies
 * under one hash tag, so that a script may touch any of it: `{errand}:store`, `{errand}:j:<id>`, …
 */
export class Keys {
  readonly prefix: string

  constructor(prefix: string) {
    this.prefix = `{${prefix}}:`
  }

  /** Which store this is, and its layout. Scripts read the prefix off this key. */
  get store(): string {
    return `${this.prefix}store`
  }

  get unique(): string {
    return `${this.prefix}unique`
  }

  get kinds(): string {
    return `${this.prefix}kinds`
  }

  get queues(): string {
    return `${this.prefix}queues`
  }

  /** A pattern: the braces mean nothing in it. */
  get every(): string {
    return `${this.prefix}*`
  }

  /** Batches by their arrival. */
  get batches(): string {
    return `${this.prefix}batches`
  }

  /** Those that take more, those that are stopped and not ended, those that have ended. */
  batchesThat(are: 'open' | 'stopped' | 'purge'): string {
    return `${this.prefix}batches:${are}`
  }

  batch(id: Buffer): Buffer {
    return this.#of('batch', id)
  }

  get places(): string {
    return `${this.prefix}places`
  }

  get pending(): string {
    return `${this.prefix}pending`
  }

  /** Keys of limits for whose places jobs wait. */
  get heldKeys(): string {
    return `${this.prefix}heldkeys`
  }

  tally(queue: string): string {
    return `${this.prefix}tally:${queue}`
  }

  channel(topic: Topic): string {
    return `${this.prefix}${topic}`
  }

  attempts(id: Buffer): Buffer {
    return this.#of('attempts', id)
  }

  logs(id: Buffer): Buffer {
    return this.#of('logs', id)
  }

  steps(id: Buffer): Buffer {
    return this.#of('steps', id)
  }

  mail(id: Buffer): Buffer {
    return this.#of('mail', id)
  }

  #of(what: string, id: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.prefix}${what}:`), id])
  }
}
