import { addAbortSignal } from 'node:stream'
import { FatalError, handler } from 'errand'
import { documentPdf, pdfEnded } from '../contract.ts'
import { pdfName } from '../documents.ts'
import { renderPdf } from './pdf.ts'

export const makePdf = handler(documentPdf, {
  async run({ documentId }, { id, fence, artifact, progress, resources, signal, log }) {
    const { documents } = resources
    // Who asked may not have heard that it was taken in.
    documents.requested(documentId, id)
    documents.started(documentId, id, fence)
    progress({ done: 0, total: 3, status: 'reading the document' })
    const document = documents.find(documentId)
    if (document === undefined) throw new FatalError('the document does not exist any more')
    if (document.sections.length === 0) throw new FatalError('the document has no text yet')

    progress({ done: 1, total: 3, status: 'setting the pages' })
    const { content, pages } = renderPdf(document)

    progress({ done: 2, total: 3, status: 'storing the file' })
    const file = pdfName(document)
    const size = { bytes: 0 }
    await artifact(file, measured(addAbortSignal(signal, content), size), {
      type: 'application/pdf',
      keep: '7d',
    })

    documents.generated(documentId, id)
    progress({ done: 3, total: 3, status: 'done' })
    log.info(`${file}: ${pages} pages, ${size.bytes} bytes`)
    return { file, pages, bytes: size.bytes }
  },
})

export const clearMark = handler(pdfEnded, {
  run: ({ id, fence, input: { documentId } }, { resources: { documents } }) =>
    documents.ended(documentId, id, fence),
})

/** Passes a stream through and counts its bytes. */
async function* measured(content: AsyncIterable<Uint8Array>, size: { bytes: number }) {
  for await (const chunk of content) {
    size.bytes += chunk.length
    yield chunk
  }
}
