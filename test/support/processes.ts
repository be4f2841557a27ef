import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Clock, Millis } from '../../src/base/time.ts'
import type { Store, Topic } from '../../src/store/contract.ts'
import { TOPICS } from '../../src/store/parts/listeners.ts'
import { divert } from './rotation.ts'

export type Request = {
  seq: number
  now: Millis
  verb: string
  args: unknown[]
  topic?: Topic
  file?: string
}
export type Reply =
  | { seq: number; value: unknown }
  | { seq: number; error: { message: string; code?: string } }
  | { rung: Topic }

type Pending = { resolve(value: unknown): void; reject(error: Error): void }

const CHILD = new URL('store-child.ts', import.meta.url)

/** A process that works on store files for a test. Errors come back as plain errors with their code. */
export class StoreProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #ears = new Set<{ topic: Topic; ring: () => void }>()
  #seq = 0

  constructor() {
    this.#child = fork(CHILD, { serialization: 'advanced' })
    this.#child.on('message', (reply: Reply) => this.#hear(reply))
    this.#child.on('exit', () => {
      for (const pending of this.#pending.values()) pending.reject(new Error('the process ended'))
    })
  }

  call(
    clock: Clock,
    verb: string,
    args: unknown[],
    more: Pick<Request, 'topic' | 'file'> = {},
  ): Promise<unknown> {
    const seq = ++this.#seq
    return new Promise((resolve, reject) => {
      this.#pending.set(seq, { resolve, reject })
      this.#child.send({ seq, now: clock.now(), verb, args, ...more } satisfies Request)
    })
  }

  listen(topic: Topic, ring: () => void): Disposable {
    const ear = { topic, ring }
    this.#ears.add(ear)
    return { [Symbol.dispose]: () => void this.#ears.delete(ear) }
  }

  /** Ends it as a power cut would. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #hear(reply: Reply): void {
    if ('rung' in reply) {
      for (const { topic, ring } of this.#ears) if (topic === reply.rung) ring()
      return
    }
    const pending = this.#pending.get(reply.seq)
    this.#pending.delete(reply.seq)
    if ('error' in reply)
      pending?.reject(Object.assign(new Error(reply.error.message), reply.error))
    else pending?.resolve(reply.value)
  }
}

/** One store whose successive calls arrive from different processes. `here` lends its type and `about`. */
export async function acrossProcesses(
  here: Store,
  file: string,
  clock: Clock,
  processes: readonly StoreProcess[],
): Promise<Store> {
  await Promise.all(processes.map((child) => child.call(clock, 'open', [], { file })))
  let turn = 0
  // `listen` answers at once, so calls made after it wait until the process has begun to listen.
  let listening: Promise<unknown> = Promise.resolve()
  const close = async () => {
    await Promise.all(processes.map((child) => child.call(clock, 'close', [])))
    await here[Symbol.asyncDispose]()
  }
  return divert(here, (name, args) => {
    if (name === Symbol.asyncDispose) return close()
    const child = processes[turn++ % processes.length]
    assert(child, 'there are no processes')
    const [topic, ring] = args
    if (name !== 'listen' || !isTopic(topic) || !isRing(ring))
      return listening.then(() => child.call(clock, String(name), name === 'bury' ? [] : args))
    listening = child.call(clock, 'listen', [], { topic })
    return child.listen(topic, ring)
  })
}

const isTopic = (given: unknown): given is Topic => TOPICS.some((topic) => topic === given)
const isRing = (given: unknown): given is () => void => typeof given === 'function'
