import { setTimeout } from 'node:timers/promises'
import { FatalError, handler } from 'errand'
import { BrokenCsv } from '../../common/csv.ts'
import { importContacts } from './contract.ts'
import { linesOf, NoContacts } from './rows.ts'

const CHUNK = 100

export const importing = handler(importContacts, {
  async run({ fileId }, { id, fence, progress, signal, warn, resources: { documentRecords } }) {
    const { uploads, contacts, imports } = documentRecords
    uploads.needed(fileId, fence)
    if (uploads.find(fileId) === undefined) throw new FatalError('the file is not there any more')
    const lines = readLines(uploads.read(fileId))
    const total = lines.length
    let failed = imports.refused(id)
    // What an earlier attempt has done is not done again.
    for (let at = imports.reached(id); at < total; at += CHUNK) {
      signal.throwIfAborted()
      const chunk = lines.slice(at, at + CHUNK)
      const misfits = chunk.flatMap((line) => ('misfit' in line ? [line.misfit] : []))
      const began = performance.now()
      imports.advance(id, Math.min(at + CHUNK, total), misfits, () => {
        for (const line of chunk) if ('contact' in line) contacts.put(line.contact)
      })
      failed += misfits.length
      progress({ done: Math.min(at + CHUNK, total), failed, total })
      // Whoever else writes to the records, the server among them, has its turn.
      // oxlint-disable-next-line no-await-in-loop
      await setTimeout(performance.now() - began)
    }
    const refused = imports.refused(id)
    if (refused > 0) warn('ROWS_REFUSED', `${refused} of ${total} rows`)
    return { rows: total, imported: total - refused, refused }
  },
})

function readLines(content: Uint8Array) {
  try {
    return linesOf(content)
  } catch (error) {
    if (error instanceof NoContacts || error instanceof BrokenCsv)
      throw new FatalError(error.message)
    throw error
  }
}
