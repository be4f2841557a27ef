import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../../../systems/documents/settings.ts'

test('what holds unless something else is said', () => {
  assert.deepEqual(readSettings({}), {
    database: '.errand/documents.db',
    uploads: '.errand/documents-uploads',
    mailUrl: undefined,
    mailKey: undefined,
    mailPort: 7471,
    mailTimeoutMs: 10_000,
    mailRate: '10/s',
    mailAtOnce: 4,
    cpuAtOnce: 1,
    exportsAtOnce: 2,
    retry: '1m',
    pdfTimeout: '60s',
    keepUploads: '30d',
    cleanUp: '0 2 * * *',
    report: '0 6 * * mon',
    timeZone: 'Australia/Perth',
  })
})

test('a setting that is misspelt is refused, and what Kubernetes says is none', () => {
  assert.throws(() => readSettings({ DOCUMENTS_RETRYY: '1s' }), /DOCUMENTS_RETRYY is no setting/)
  readSettings({ DOCUMENTS_SERVICE_HOST: '10.0.0.1', DOCUMENTS_PORT_80_TCP: 'tcp://10.0.0.1:80' })
})

test('a setting that cannot be read is named', () => {
  const wrong = { DOCUMENTS_MAIL_RATE: 'fast', DOCUMENTS_RETRY: 'soon', DOCUMENTS_CPU_AT_ONCE: '0' }
  for (const [name, value] of Object.entries(wrong))
    assert.throws(() => readSettings({ [name]: value }), new RegExp(name))
})
