import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { openDocuments } from '../../../systems/documents/documents.ts'
import { renderPdf } from '../../../systems/documents/pdfs/pdf.ts'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

test('every document becomes pages, and says how many', async () => {
  for (const document of read()) {
    const { content, pages } = renderPdf(document)
    const pdf = (await buffer(content)).toString('latin1')
    assert.match(pdf, /^%PDF-/)
    assert.match(pdf, new RegExp(`/Count ${pages}\\b`))
    assert.ok(pages >= (document.sections.length > 0 ? 2 : 1), document.reference)
  }
})

test('the same document gives the same bytes', async () => {
  const [document] = read()
  assert.ok(document)
  const [first, second] = [renderPdf(document), renderPdf(document)]
  assert.deepEqual(await buffer(first.content), await buffer(second.content))
})

test('a long document runs on to as many pages as it needs', () => {
  const [document] = read()
  assert.ok(document)
  const sections = Array.from({ length: 12 }, () => document.sections).flat()
  assert.ok(renderPdf({ ...document, sections }).pages > 10)
})

test('a database is filled once, however often it is opened', () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-documents-'))
  const location = join(dir.path, 'documents.db')
  using first = openDocuments(location)
  first.remove(1)
  using second = openDocuments(location)
  assert.equal(second.list().length, 49)
})

function read() {
  using documents = openDocuments(':memory:')
  return documents.list()
}
