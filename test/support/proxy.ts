import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './servers/server.ts'

type Line = { readonly client: Socket; readonly server: Socket }
/** What becomes of what arrived at once. */
type Fate = 'forward' | 'swallow' | 'cut'
type Manner = {
  readonly request: () => Fate
  readonly reply: () => Fate
  readonly delayMs: number
  /** Resolves when what was held back may go on. */
  readonly thaw?: PromiseWithResolvers<void>
}

const FINE: Manner = { request: () => 'forward', reply: () => 'forward', delayMs: 0 }

/**
 * The line to a server on this machine, which fails as it is told: for all connections, one fault in
 * place of the last, until `pass`. What arrives at once counts as one request, so that a client which
 * waits for each reply sends them one by one.
 */
export class Proxy implements AsyncDisposable {
  readonly port: number
  readonly #to: number
  readonly #lines = new Set<Line>()
  readonly #stranded = new WeakSet<Line>()
  #listener: Server | undefined
  #manner = FINE

  private constructor(port: number, to: number) {
    this.port = port
    this.#to = to
  }

  static async open(to: number): Promise<Proxy> {
    const proxy = new Proxy(await freePort(), to)
    await proxy.pass()
    return proxy
  }

  /** How many connections there are. */
  get lines(): number {
    return this.#lines.size
  }

  /** All is well again: what was held back goes on, what was swallowed is lost. */
  async pass(): Promise<void> {
    this.#become(FINE)
    if (this.#listener) return
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client),
    )
    await once(this.#listener.listen(this.port, '127.0.0.1'), 'listening')
  }

  /** Nobody listens here; connections that are there go on. */
  refuse(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  /** Resets the connections there are. */
  cut(): void {
    for (const line of this.#lines) reset(line)
  }

  /** Half open: connections are accepted and kept, and nothing goes either way. */
  freeze(): void {
    this.#become({ ...FINE, thaw: Promise.withResolvers() })
  }

  /** Half open for good: what the connections there are carry is lost from now on; new ones are fine. */
  strand(): void {
    for (const line of this.#lines) this.#stranded.add(line)
  }

  /** Requests arrive and replies are lost; nobody is told. */
  dropReplies(): void {
    this.#become({ ...FINE, reply: () => 'swallow' })
  }

  /** The `n`th request from now does not arrive: its connection is reset, once. */
  cutRequest(n: number): void {
    let left = n
    this.#become({ ...FINE, request: () => (--left > 0 ? 'forward' : this.#cutOnce()) })
  }

  /** The `n`th request from now arrives; its connection is reset in place of the reply, once. */
  cutReply(n: number): void {
    let left = n
    this.#become({
      ...FINE,
      request: () => {
        left--
        return 'forward'
      },
      reply: () => (left > 0 ? 'forward' : this.#cutOnce()),
    })
  }

  /** Whatever is sent takes so much longer, each way. */
  delay(ms: number): void {
    this.#become({ ...FINE, delayMs: ms })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    this.cut()
    this.#become(FINE)
  }

  #become(manner: Manner): void {
    const { thaw } = this.#manner
    this.#manner = manner
    thaw?.resolve()
  }

  #cutOnce(): Fate {
    this.#become(FINE)
    return 'cut'
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#to, host: '127.0.0.1', allowHalfOpen: true })
    server.setNoDelay()
    const line = { client, server }
    this.#lines.add(line)
    const ends = new Set([client, server])
    for (const end of ends) {
      end.on('error', () => reset(line))
      end.once('close', () => ends.delete(end) && ends.size === 0 && this.#lines.delete(line))
    }
    void this.#carry(line, client, server, 'request')
    void this.#carry(line, server, client, 'reply')
  }

  async #carry(line: Line, from: Socket, to: Socket, what: 'request' | 'reply'): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        await this.#held()
        const fate = this.#stranded.has(line) ? 'swallow' : this.#manner[what]()
        if (fate === 'cut') return reset(line)
        if (fate === 'forward') to.write(chunk)
      }
      await this.#held()
      to.end()
    } catch {
      // Its own `error` has reset the line.
    }
  }

  async #held(): Promise<void> {
    while (this.#manner.thaw) await this.#manner.thaw.promise
    if (this.#manner.delayMs > 0) await sleep(this.#manner.delayMs)
  }
}

function reset({ client, server }: Line): void {
  for (const end of [client, server]) {
    // One that is just saying goodbye cannot be reset: Node 26 would never close it, and never end by itself.
    if (end.writableEnded) end.destroy()
    else end.resetAndDestroy()
  }
}
