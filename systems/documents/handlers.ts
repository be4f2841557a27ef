import type { Documents } from './documents.ts'
import type { Records } from './records.ts'

declare module 'errand' {
  interface Resources {
    documents: Documents
    documentRecords: Records
  }
}

export * from './exports/handlers.ts'
export * from './files/handlers.ts'
export * from './imports/handlers.ts'
export * from './mails/handlers.ts'
export * from './pdfs/handlers.ts'
export * from './pictures/handlers.ts'
