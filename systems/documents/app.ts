import { defineApp } from 'errand'
import { documentPdf, pdfEnded } from './contract.ts'
import { openDocuments } from './documents.ts'
import { documentRoutes } from './routes.ts'

/** The app over the system's own database, `.errand/documents.db` unless another file is named. */
export const documentsApp = (location?: string) =>
  defineApp({
    mount: '/documents',
    tryFirst: 'POST /42/pdf',
    jobs: [documentPdf, pdfEnded],
    handlers: () => import('./handlers.ts'),
    start: () => ({ documents: openDocuments(location) }),
    stop: ({ documents }) => documents?.[Symbol.dispose](),
    routes: (app, desk) => documentRoutes(openDocuments(location))(app, desk),
  })

export default documentsApp()
