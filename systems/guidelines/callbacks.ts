import { lookup } from 'node:dns/promises'
import { request } from 'node:https'
import { isIP, isIPv6, type LookupFunction } from 'node:net'
import { FatalError } from 'errand'
import { isPublic } from '../common/public.ts'

export type Told = { event_id: string; status: 'COMPLETED' | 'FAILED' }

export type CallbackOptions = {
  /** Finds the addresses of a name. */
  names?: (host: string) => Promise<string[]>
  mayCall?: (address: string) => boolean
  /** Whose certificates are trusted beside those the machine trusts. */
  ca?: string
}

const NAMES = async (host: string) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/** Tells others that a job has ended: over https, and never an address of the house. */
export class Callbacks {
  readonly #names
  readonly #mayCall
  readonly #ca

  constructor({ names = NAMES, mayCall = isPublic, ca }: CallbackOptions = {}) {
    this.#names = names
    this.#mayCall = mayCall
    this.#ca = ca
  }

  async send(href: string, told: Told, { key, signal }: { key: string; signal: AbortSignal }) {
    const url = new URL(href)
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    // A literal address is never looked up, so nobody would ask for it later.
    if (url.protocol !== 'https:' || (isIP(host) && !this.#mayCall(host))) throw inside()
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const body = JSON.stringify(told)
    const call = request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'idempotency-key': key,
      },
      agent: false,
      lookup: this.#lookup,
      signal,
      ...(this.#ca !== undefined && { ca: this.#ca }),
    })
    call.once('error', reject).once('response', (answer) => {
      answer.destroy()
      resolve(answer.statusCode ?? 0)
    })
    call.end(body)
    const status = await promise
    // Who sends it elsewhere is not followed there.
    if (status < 200 || status >= 300) throw new Error(`the callback was answered with ${status}`)
  }

  /** Asked by the connection itself, which goes to no other address: a name that changes its mind is harmless. */
  readonly #lookup: LookupFunction = (host, { all }, done) => {
    this.#allowed(host).then(
      (found) => {
        const addresses = found.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
        const [one] = addresses
        return all ? done(null, addresses) : done(null, one?.address ?? '', one?.family)
      },
      (error: Error) => done(error, ''),
    )
  }

  async #allowed(host: string): Promise<string[]> {
    const found = await this.#names(host)
    if (found.length === 0) throw new Error('the name of the callback_url has no address')
    if (found.every((address) => this.#mayCall(address))) return found
    throw inside()
  }
}

const inside = () => new FatalError('the callback_url does not lead outside')
