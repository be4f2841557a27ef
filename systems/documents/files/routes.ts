import type { App, Definition, Desk } from 'errand'
import { z } from 'zod'
import { whoAsks } from '../../common/who.ts'
import { unlessTaken } from '../../common/doubt.ts'
import { orGone } from '../gone.ts'
import { importContacts } from '../imports/contract.ts'
import { picture } from '../pictures/contract.ts'
import { samplePicture } from '../pictures/sample.ts'
import { readFile, readQuery } from '../reading.ts'
import type { Records } from '../records.ts'
import { idOf } from '../repeat.ts'
import { ownedBy } from '../tasks/kinds.ts'
import { fileChain } from './contract.ts'

type Routes = Parameters<NonNullable<App['routes']>>[0]
type Upload = {
  job: Definition<z.ZodType<{ fileId: string }, { fileId: string }>>
  message: string
}

/** What becomes of a file, by where it is sent. */
const UPLOADS: Record<string, Upload> = {
  files: { job: fileChain, message: 'The file is being looked at' },
  imports: { job: importContacts, message: 'Import started' },
  pictures: { job: picture, message: 'The picture is in the making' },
}

export function fileRoutes(app: Routes, errand: Desk, { uploads }: Records): void {
  for (const [place, { job, message }] of Object.entries(UPLOADS))
    app.post(`/${place}`, async (c) => {
      const { name, content } = await readFile(c)
      const notify = readQuery(c, 'notify', z.email().optional(), 'needs an address')
      const fileId = idOf(c, 'file')
      const isNew = uploads.add({ id: fileId, name, notify }, content)
      const asked = idOf(c)
      try {
        const options = { id: asked, ...ownedBy(whoAsks(c).tenant) }
        const { id } = await errand.enqueue(job, { fileId }, options)
        return c.json({ message, task_id: id }, 202)
      } catch (error) {
        const isTaken = async () => (await orGone(errand.job(asked))) !== undefined
        if (isNew) await unlessTaken(error, isTaken, () => uploads.remove(fileId))
        throw error
      }
    })

  app.get('/pictures/sample.png', (c) => {
    const png = (sample ??= Uint8Array.from(samplePicture(SAMPLE.width, SAMPLE.height)))
    return c.body(png, 200, { 'content-type': 'image/png' })
  })

  app.get('/pictures/:taskId/:file', async (c) => {
    const { taskId, file } = c.req.param()
    await errand.artifact(taskId, file, whoAsks(c).tenant)
    return c.redirect(errand.link(taskId, file, '7d'))
  })
}

const SAMPLE = { width: 1200, height: 800 }
let sample: Uint8Array<ArrayBuffer> | undefined
