import { join } from 'node:path'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { documentsApp } from '../../../systems/documents/app.ts'
import { openDocuments } from '../../../systems/documents/documents.ts'
import type { Settings } from '../../../systems/documents/settings.ts'
import { mailApi } from '../../../systems/documents/stand-in/mail-api.ts'
import type { System } from '../stage.ts'

/** What the system itself keeps lies apart from what Errand keeps. */
export const RECORDS = 'records'

type Open = (appIn: (folder: string) => ReturnType<typeof documentsApp>) => Promise<System>

/** The whole system with a mail API of its own that can be told to misbehave. */
export async function openDocumentsOn(open: Open, given: Partial<Settings> = {}) {
  const mails = await openStandIn(mailApi(), 0)
  const place = (folder: string) => ({
    database: join(folder, RECORDS, 'documents.db'),
    uploads: join(folder, RECORDS, 'uploads'),
  })
  const system = await open((folder) =>
    documentsApp({ ...place(folder), mailUrl: mails.url, mailRate: '1000/s', ...given }),
  )
  const documents = openDocuments(place(system.folder).database)
  return {
    ...system,
    documents,
    mails,
    place: place(system.folder),
    script: (...mishaps: object[]) =>
      fetch(`${mails.url}/stand-in/script`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(mishaps),
      }),
    calls: async () => Calls.parse(await (await fetch(`${mails.url}/stand-in/calls`)).json()),
    sent: async () => Sent.parse(await (await fetch(`${mails.url}/mails`)).json()),
    upload: async (path: string, body: string | Uint8Array) =>
      Started.parse(await system.json(`/documents/${path}`, { method: 'POST', body })).task_id,
    misfits: async (id: string, query = '') =>
      Misfits.parse(await system.json(`/documents/imports/${id}/errors${query}`)),
    task: async (id: string) => Task.parse(await system.json(`/documents/tasks/${id}`)),
    async [Symbol.asyncDispose]() {
      documents[Symbol.dispose]()
      await system[Symbol.asyncDispose]()
      await mails[Symbol.asyncDispose]()
    },
  }
}

export type Documents = Awaited<ReturnType<typeof openDocumentsOn>>

/** Runs a worker until this task has ended, and tells how. */
export async function finish(system: Documents, id: string) {
  const worker = await system.work()
  await system.errand.ended(id, 30_000)
  await worker.stop()
  return system.task(id)
}

const Calls = z.array(z.object({ path: z.string(), at: z.string(), status: z.number().optional() }))
const Misfits = z.object({ data: z.array(z.unknown()), next_after: z.int().optional() })
const Sent = z.object({ count: z.int(), repeated: z.int() })
export const Started = z.object({ task_id: z.uuid() })
const Task = z.looseObject({
  status: z.string(),
  result: z.looseObject({}).nullable(),
  with_errors: z.boolean().optional(),
  error: z.object({ message: z.string() }).optional(),
})
