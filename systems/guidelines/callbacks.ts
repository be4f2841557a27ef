import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { FatalError } from 'errand'

export type Told = { event_id: string; status: 'COMPLETED' | 'FAILED' }

const inside = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  inside.addSubnet(net, bits)
for (const [net, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  inside.addSubnet(net, bits, 'ipv6')

/** Tells others that a job has ended: over https, and never an address of the house. */
export class Callbacks {
  readonly #fetch: typeof fetch

  constructor(send: typeof fetch = fetch) {
    this.#fetch = send
  }

  async send(url: string, told: Told, { key, signal }: { key: string; signal: AbortSignal }) {
    const { protocol, hostname } = new URL(url)
    if (protocol !== 'https:' || (await isInside(hostname)))
      throw new FatalError('the callback_url does not lead outside')
    const answer = await this.#fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(told),
      redirect: 'error',
      signal,
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`the callback was answered with ${answer.status}`)
  }
}

async function isInside(hostname: string): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const found = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host }]
  return found.some(({ address }) => inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}
