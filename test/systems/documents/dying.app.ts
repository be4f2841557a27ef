import { defineApp, handler, type Context } from 'errand'
import { documentPdf, pdfEnded } from '../../../systems/documents/contract.ts'
import { openDocuments } from '../../../systems/documents/documents.ts'
import { clearMark } from '../../../systems/documents/pdfs/handlers.ts'

/** The documents app with a maker of PDFs that comes to every bad end, by the number of its document. */
const ENDS: Record<number, (context: Context) => Promise<never>> = {
  1: async () => {
    throw new Error('as planned')
  },
  2: async () => {
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => undefined)
  },
  3: async () => {
    for (;;);
  },
  4: async ({ progress }) => {
    progress({ status: 'waiting' })
    return new Promise(() => undefined)
  },
}

const makePdf = handler(documentPdf, {
  run: async ({ documentId }, context) => {
    context.resources.documents.started(documentId, context.id, context.fence)
    return ENDS[documentId]?.(context) ?? { file: 'none.pdf', pages: 1, bytes: 1 }
  },
})

export default defineApp({
  jobs: [documentPdf, pdfEnded],
  handlers: async () => ({ makePdf, clearMark }),
  start: () => ({ documents: openDocuments(process.env['DOCUMENTS']) }),
  stop: ({ documents }) => documents?.[Symbol.dispose](),
})
