import { Agent, type IncomingMessage, request as http } from 'node:http'
import { Agent as TlsAgent, request as https } from 'node:https'
import { isIPv6, type LookupFunction } from 'node:net'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { readRetryAfter } from '../../common/retry-after.ts'
import { PageError } from './error.ts'
import { guarded, type Names, systemNames } from './guard.ts'

export type WebSettings = {
  /** `internet`, or the URL of who answers for it. */
  web: string
  pageBytes: number
  pageTimeoutMs: number
  redirects: number
  sockets: number
  agent: string
}

/** A page as it came, and where it was found in the end. */
export type Page = { url: URL; status: number; redirects: number; body: Buffer; charset: string }

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const PORTS = new Set(['', '80', '443'])
/** What may pass by itself: the server is busy, or asks for patience. */
const PASSING = new Set([408, 425, 429])
const PAGES = /^(text\/html|application\/xhtml\+xml)\b/i
const CHARSET = /charset\s*=\s*["']?([\w-]+)/i
/** Nobody asks for these, but some sites know no other way. */
const DECODERS: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** The web, behind a guard and with limits. One pool of connections serves all jobs of a process. */
export class Web implements Disposable {
  readonly #settings
  readonly #names: Names
  /** Who answers for the internet: names are looked up there, and connections go there. */
  readonly #standIn: URL | undefined
  readonly #plain: Agent
  readonly #tls: TlsAgent

  constructor(settings: WebSettings, names?: Names) {
    this.#settings = settings
    this.#standIn = settings.web === 'internet' ? undefined : new URL(settings.web)
    this.#names = names ?? (this.#standIn ? namesAt(this.#standIn) : systemNames)
    const pool = { keepAlive: true, maxSockets: settings.sockets, timeout: settings.pageTimeoutMs }
    this.#plain = new Agent(pool)
    this.#tls = new TlsAgent(pool)
  }

  [Symbol.dispose](): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  /** The first page of a domain: by TLS, and without it where nobody answers there. @throws PageError */
  async home(domain: string, signal: AbortSignal): Promise<Page> {
    try {
      return await this.read(new URL(`https://${domain}/`), signal)
    } catch (error) {
      const isSilent = error instanceof PageError && isRefused(error.cause)
      if (!isSilent || this.#standIn) throw error
      return this.read(new URL(`http://${domain}/`), signal)
    }
  }

  /** A page, wherever it moved. All of it is one effort with one time limit. @throws PageError */
  async read(url: URL, signal: AbortSignal): Promise<Page> {
    const late = AbortSignal.timeout(this.#settings.pageTimeoutMs)
    const either = AbortSignal.any([signal, late])
    try {
      return await this.#follow(url, either)
    } catch (error) {
      signal.throwIfAborted()
      if (late.aborted) throw new PageError('TIMED_OUT', 'the site took too long')
      if (error instanceof PageError) throw error
      throw new PageError('NOT_CONNECTED', 'the site does not answer', { cause: error })
    }
  }

  async #follow(first: URL, signal: AbortSignal): Promise<Page> {
    let url = first
    for (let redirects = 0; redirects <= this.#settings.redirects; redirects++) {
      const answer = await this.#ask(url, signal)
      const status = answer.statusCode ?? 0
      const { location } = answer.headers
      if (!REDIRECTS.has(status) || location === undefined)
        return { url, status, redirects, ...(await this.#body(answer, status)) }
      answer.destroy()
      url = target(location, url)
    }
    throw new PageError('TOO_MANY_REDIRECTS', 'the site sends its readers round in circles')
  }

  /** One request. The guard is asked whenever a connection is made, and the connection goes where it allowed. */
  async #ask(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const { hostname, port, pathname, search, protocol } = url
    const standIn = this.#standIn
    // A literal address is never looked up, so nobody would ask for it later.
    if (standIn || /^[\d.]+$|^\[/.test(hostname)) await guarded(hostname, this.#names)
    const isTls = protocol === 'https:' && !standIn
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const call = (isTls ? https : http)({
      agent: isTls ? this.#tls : this.#plain,
      host: standIn?.hostname ?? hostname.replace(/^\[(.*)\]$/, '$1'),
      port: standIn?.port ?? port,
      path: `${standIn ? `/${hostname}` : ''}${pathname}${search}`,
      headers: {
        host: url.host,
        'user-agent': this.#settings.agent,
        accept: 'text/html',
        'accept-encoding': 'identity',
      },
      signal,
      ...(!standIn && { lookup: this.#lookup }),
    })
    call.once('response', resolve).once('error', reject).end()
    return promise
  }

  readonly #lookup: LookupFunction = (host, { all }, done) => {
    guarded(host, this.#names).then(
      (found) => {
        const addresses = found.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
        const [one] = addresses
        return all ? done(null, addresses) : done(null, one?.address ?? '', one?.family)
      },
      (error: Error) => done(error, ''),
    )
  }

  async #body(answer: IncomingMessage, status: number): Promise<Pick<Page, 'body' | 'charset'>> {
    const type = answer.headers['content-type'] ?? ''
    const after = answer.headers['retry-after'] ?? ''
    try {
      refuse(status, type, readRetryAfter(new Headers({ 'retry-after': after })))
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of decoded(answer)) {
        const part = Buffer.from(chunk)
        bytes += part.length
        if (bytes > this.#settings.pageBytes)
          throw new PageError(
            'TOO_LARGE',
            `the page has more than ${this.#settings.pageBytes} bytes`,
          )
        chunks.push(part)
      }
      return { body: Buffer.concat(chunks), charset: CHARSET.exec(type)?.[1] ?? '' }
    } catch (error) {
      if (error instanceof PageError || !(error instanceof Error) || error.name === 'AbortError')
        throw error
      const said = 'the site broke its answer off, or packed it wrongly'
      throw new PageError('BROKEN_ANSWER', said, { cause: error })
    } finally {
      answer.destroy()
    }
  }
}

/** A page that is packed counts as large as it is unpacked. */
function decoded(answer: IncomingMessage): Readable {
  const encoding = (answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') return answer
  const decoder = DECODERS[encoding]?.()
  if (decoder === undefined) throw new PageError('NOT_A_PAGE', 'the site packs its pages oddly')
  return pipeline(answer, decoder, () => undefined)
}

/** Nobody listens there: whoever answers, but not as he should, is left alone. */
const isRefused = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'

function refuse(status: number, type: string, waitMs = 0): void {
  if (status >= 500 || PASSING.has(status))
    throw new PageError('UNAVAILABLE', `the site answered ${status}`, { waitMs })
  if (status < 200 || status >= 300) throw new PageError('REFUSED', `the site answered ${status}`)
  if (!PAGES.test(type)) throw new PageError('NOT_A_PAGE', 'the site answered with no HTML page')
}

/** Where a redirect leads: to the web only, on its usual ports. */
function target(location: string, from: URL): URL {
  const url = URL.parse(location, from)
  if (url && /^https?:$/.test(url.protocol) && PORTS.has(url.port)) return url
  throw new PageError('BAD_REDIRECT', 'the site sends its readers to what is no web page')
}

const NAMES_MS = 5000

/** The names that a stand-in knows. */
const namesAt =
  (standIn: URL): Names =>
  async (host) => {
    const url = new URL(`/names/${encodeURIComponent(host)}`, standIn)
    const answer = await fetch(url, { signal: AbortSignal.timeout(NAMES_MS) })
    if (answer.status === 404) throw new PageError('NAME_NOT_FOUND', 'the name does not exist')
    const known: unknown = await answer.json()
    return Array.isArray(known) ? known.map(String) : []
  }
