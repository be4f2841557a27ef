import { once } from 'node:events'
import { createServer } from 'node:http'

/** Somebody who may not be called too often, and knows when he was. */
export class Callee implements AsyncDisposable {
  /** When each call arrived, by a clock that only runs forward. */
  readonly arrivedAt: number[] = []
  readonly #server = createServer((request, response) => {
    if (request.url === '/call') this.arrivedAt.push(performance.now())
    response.end('heard')
  })

  /** @returns where it is called */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new TypeError('it has no port')
    return `http://127.0.0.1:${address.port}`
  }

  /** The most calls that arrived in any span of this length. */
  most(spanMs: number): number {
    let first = 0
    return this.arrivedAt.reduce((most, at, i) => {
      while (at - (this.arrivedAt[first] ?? at) >= spanMs) first++
      return Math.max(most, i - first + 1)
    }, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
