import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { open } from '../../../src/open.ts'
import { Links } from '../../../src/http/links.ts'
import { buildServer } from '../../../src/http/server.ts'
import { documentsApp } from '../../../systems/documents/app.ts'
import { openDocuments } from '../../../systems/documents/documents.ts'

/** The whole system in one process: store in memory, real routes, real files, and a worker on demand. */
export async function setUp(mailUrl = 'http://127.0.0.1:1') {
  const dir = mkdtempSync(join(tmpdir(), 'errand-documents-'))
  const location = join(dir, 'documents.db')
  const app = documentsApp({ database: location, uploads: join(dir, 'uploads'), mailUrl })
  const errand = await open('sqlite::memory:', { jobs: app.jobs, files: `file:${dir}/files` })
  const links = new Links(Buffer.from('a key of this test alone'))
  const settings = { version: 'test' }
  const server = await buildServer({ errand, app, links, files: errand.files, settings })
  const documents = openDocuments(location)
  const ask = (path: string, init?: RequestInit) => server.request(`http://127.0.0.1${path}`, init)
  const json = async (path: string, init?: RequestInit): Promise<unknown> =>
    (await ask(path, init)).json()
  return {
    errand,
    documents,
    server,
    ask,
    json,
    work: () => errand.work(app),
    async [Symbol.asyncDispose]() {
      documents[Symbol.dispose]()
      await errand[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export type System = Awaited<ReturnType<typeof setUp>>

export const Started = z.strictObject({
  message: z.literal('PDF generation started'),
  task_id: z.uuid(),
})
export const Succeeded = z.strictObject({
  task_id: z.uuid(),
  status: z.literal('SUCCESS'),
  result: z.strictObject({ file: z.string(), pages: z.int(), bytes: z.int(), url: z.string() }),
})
const Listed = {
  id: z.int(),
  status: z.string(),
  in_progress: z.boolean(),
  task_id: z.uuid().optional(),
}
export const List = z.object({ data: z.array(z.object(Listed)) })

export const POST = { method: 'POST' }
