import { Readable } from 'node:stream'
import { type App, ErrandError, hasCode, type JobView } from 'errand'
import { z } from 'zod'
import { isBusy, SERVER_WAIT_MS } from './database.ts'
import { type Documents, pdfName, type ProjectDocument } from './documents.ts'
import { servePage } from '../common/page.ts'
import { whoAsks } from '../common/who.ts'
import { exportRoutes } from './exports/routes.ts'
import { fileRoutes } from './files/routes.ts'
import { importRoutes } from './imports/routes.ts'
import { mailRoutes } from './mails/routes.ts'
import { Pdfs } from './pdfs/pdfs.ts'
import { readQuery } from './reading.ts'
import type { Records } from './records.ts'
import { taskRoutes } from './tasks/routes.ts'

const Wait = z.coerce.number().min(0).max(55).default(0)

/** The documents API, in the words its users asked for. */
export const documentRoutes =
  (documents: Documents, records: Records): NonNullable<App['routes']> =>
  (app, { errand }) => {
    const pdfs = new Pdfs(errand, documents)
    app.use(async (c, next) => {
      await next()
      if (isBusy(c.error)) throw new ErrandError('STORE_BUSY', { waitedMs: SERVER_WAIT_MS })
    })
    servePage(app, new URL('page/', import.meta.url))
    taskRoutes(app, errand, documents)
    fileRoutes(app, errand, records)
    importRoutes(app, errand, records)
    exportRoutes(app, errand)
    mailRoutes(app, errand, records)

    app.get('/list', async (c) => {
      const { tenant } = whoAsks(c)
      const data = documents
        .list()
        .map(async (document) => toRow(document, await pdfs.standing(document, tenant)))
      return c.json({ data: await Promise.all(data) })
    })

    app.post('/:id{\\d+}/pdf', async (c) => {
      const taskId = await pdfs.request(read(documents, c.req.param('id')), whoAsks(c).tenant)
      return c.json(started(taskId), 202)
    })

    app.get('/:id{\\d+}/pdf', async (c) => {
      const waitMs = 1000 * readQuery(c, 'wait', Wait, 'needs seconds from 0 to 55')
      const document = read(documents, c.req.param('id'))
      const stored = await pdfs.link(document)
      if (stored) return c.redirect(stored)
      const taskId = await pdfs.request(document, whoAsks(c).tenant)
      try {
        const link = await pdfs.linkWithin(taskId, waitMs)
        return link ? c.redirect(link) : c.json(started(taskId), 202)
      } catch (error) {
        if (!hasCode(error, 'JOB_FAILED')) throw error
        return c.json(failed(await errand.job(taskId)), 409, PROBLEM)
      }
    })

    app.post('/:id{\\d+}/pdf/sync', async (c) => {
      const document = read(documents, c.req.param('id'))
      // Imported at the first request, so that a server nobody asks for this never loads pdfkit.
      const { renderPdf } = await import('./pdfs/pdf.ts')
      return c.body(Readable.toWeb(renderPdf(document).content), 200, {
        'content-type': 'application/pdf',
        'content-disposition': `attachment; filename="${pdfName(document)}"`,
      })
    })
  }

const started = (taskId: string) => ({ message: 'PDF generation started', task_id: taskId })

const PROBLEM = { 'content-type': 'application/problem+json; charset=utf-8' }
const failed = ({ id, error }: JobView) => ({
  status: 409,
  title: 'Conflict',
  code: 'JOB_FAILED',
  detail: `The PDF could not be made: ${error?.message ?? 'its job failed'}`,
  task_id: id,
})

function read(documents: Documents, id: string): ProjectDocument {
  const document = documents.find(Number(id))
  if (document === undefined) throw new ErrandError('NOT_FOUND', {})
  return document
}

function toRow(
  { id, reference, title, project, team, updatedAt, inProgress }: ProjectDocument,
  standing: Awaited<ReturnType<Pdfs['standing']>>,
) {
  const about = { id, reference, title, project, team, updatedAt }
  return { ...about, ...standing, in_progress: inProgress }
}
