import { defineApp, defineLimit, defineSchedule } from 'errand'
import { hireStandIn, standsIn } from '../common/stand-in.ts'
import { documentPdf, pdfEnded } from './contract.ts'
import { SERVER_WAIT_MS } from './database.ts'
import { openDocuments } from './documents.ts'
import { exportTable, weeklyReport } from './exports/contract.ts'
import {
  cleanUp,
  fileChain,
  fileEnded,
  notifyFile,
  processFile,
  validateFile,
} from './files/contract.ts'
import { importContacts } from './imports/contract.ts'
import { MAIL_LIMIT, sendMail } from './mails/contract.ts'
import { MailApi } from './mails/mail-api.ts'
import { checkPicture, picture, resizePicture } from './pictures/contract.ts'
import { openRecords } from './records.ts'
import { documentRoutes } from './routes.ts'
import { settings as usual, type Settings } from './settings.ts'
import { spanMs } from './span.ts'

/** The app over the system's own database, under the settings of the environment unless others are given. */
export function documentsApp(given: Partial<Settings> = {}) {
  const settings = { ...usual, ...given }
  const { database, mailUrl, mailKey, mailPort, mailRate, mailTimeoutMs, timeZone } = settings
  return defineApp({
    mount: '/documents',
    about: 'PDFs, file chains, exports, imports, mails and pictures of project documents',
    tryFirst: 'POST /42/pdf',
    jobs: [
      documentPdf,
      pdfEnded,
      fileChain,
      fileEnded,
      validateFile,
      processFile,
      notifyFile,
      cleanUp,
      sendMail,
      exportTable,
      weeklyReport,
      importContacts,
      picture,
      checkPicture,
      resizePicture,
    ],
    handlers: () => import('./handlers.ts'),
    limits: [defineLimit(MAIL_LIMIT, { rate: mailRate })],
    timeZone,
    settings: { ...settings, mailKey: undefined },
    schedules: [
      defineSchedule({
        name: 'documents.clean-up',
        job: cleanUp,
        input: { olderThanMs: spanMs(settings.keepUploads) },
        cron: settings.cleanUp,
        zone: timeZone,
        overlap: 'skip',
      }),
      defineSchedule({
        name: 'documents.weekly-report',
        job: weeklyReport,
        input: { format: 'xlsx' },
        cron: settings.report,
        zone: timeZone,
      }),
    ],
    start: async () => {
      if (mailUrl === undefined) await standsIn(mailPort)
      return {
        documents: openDocuments(database),
        documentRecords: openRecords(settings),
        documentMails: new MailApi(mailUrl ?? `http://127.0.0.1:${mailPort}`, {
          timeoutMs: mailTimeoutMs,
          ...(mailKey !== undefined && { key: mailKey }),
        }),
      }
    },
    stop: ({ documents, documentRecords }) => {
      documents?.[Symbol.dispose]()
      documentRecords?.[Symbol.dispose]()
    },
    routes: (app, desk) => {
      if (mailUrl === undefined) hireStandIn(new URL('stand-in/main.ts', import.meta.url))
      const open = [
        openDocuments(database, SERVER_WAIT_MS),
        openRecords(settings, SERVER_WAIT_MS),
      ] as const
      return documentRoutes(...open)(app, desk)
    },
  })
}

export default documentsApp()
