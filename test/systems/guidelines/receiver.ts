import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { makeCertificate } from '../../support/certificate.ts'

/** Somebody who is called back over https, at `https://hooks.example` and this port. */
export async function openReceiver() {
  const { key, cert } = readCertificate()
  const told: { key: string; body: unknown }[] = []
  const answers: number[] = []
  const hear = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body: unknown = JSON.parse(await text(incoming))
    told.push({ key: String(incoming.headers['idempotency-key']), body })
    outgoing.writeHead(answers.shift() ?? 204, { location: 'https://10.0.0.1/' }).end()
  }
  const server = createServer({ key, cert }, (...call) => void hear(...call))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  const port = typeof at === 'object' && at ? at.port : 0
  return {
    url: `https://hooks.example:${port}/ended`,
    port,
    ca: cert,
    told,
    /** What the next calls are answered with. */
    answers,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function readCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'errand-certificate-'))
  const { key, cert } = makeCertificate(folder, 'hooks.example')
  const made = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
  return made
}
