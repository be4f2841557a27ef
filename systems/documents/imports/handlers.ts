import { FatalError, handler } from 'errand'
import { importContacts } from './contract.ts'
import { linesOf, NoHead } from './rows.ts'

const CHUNK = 100

export const importing = handler(importContacts, {
  async run({ fileId }, { id, progress, signal, warn, resources: { documentRecords } }) {
    const { uploads, contacts, imports } = documentRecords
    if (uploads.find(fileId) === undefined) throw new FatalError('the file is not there any more')
    const lines = readLines(uploads.read(fileId))
    const total = lines.length
    // What an earlier attempt has done is not done again.
    for (let at = imports.reached(id); at < total; at += CHUNK) {
      signal.throwIfAborted()
      const chunk = lines.slice(at, at + CHUNK)
      const misfits = chunk.flatMap((line) => ('misfit' in line ? [line.misfit] : []))
      imports.advance(id, Math.min(at + CHUNK, total), misfits, () => {
        for (const line of chunk) if ('contact' in line) contacts.put(line.contact)
      })
      progress({ done: imports.reached(id), failed: imports.misfits(id).length, total })
      // Others of this process have their turn.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise(setImmediate)
    }
    const refused = imports.misfits(id).length
    if (refused > 0) warn('ROWS_REFUSED', `${refused} of ${total} rows`)
    return { rows: total, imported: total - refused, refused }
  },
})

function readLines(content: Uint8Array) {
  try {
    return [...linesOf(content)]
  } catch (error) {
    if (error instanceof NoHead) throw new FatalError(error.message)
    throw new FatalError('the file is no CSV in UTF-8', { cause: error })
  }
}
