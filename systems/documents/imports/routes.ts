import { setImmediate } from 'node:timers/promises'
import { Readable } from 'node:stream'
import type { App, Desk } from 'errand'
import { z } from 'zod'
import { whoAsks } from '../../common/who.ts'
import { readQuery } from '../reading.ts'
import type { Records } from '../records.ts'
import { findTask } from '../tasks/kinds.ts'
import type { Imports } from './imports.ts'

const After = z.coerce.number().int().min(0).default(0)

type Routes = Parameters<NonNullable<App['routes']>>[0]

/** What imports could not take: page by page, or all of it as a file. */
export function importRoutes(app: Routes, errand: Desk, { imports }: Records): void {
  app.get('/imports/:taskId/errors', async (c) => {
    const { id } = await findTask(errand, c.req.param('taskId'), whoAsks(c).tenant)
    const after = readQuery(c, 'after', After, 'needs the number of a row')
    const data = imports.misfits(id, after)
    const last = data.at(-1)?.row
    const isMore = last !== undefined && imports.misfits(id, last).length > 0
    return c.json({ data, ...(isMore && { next_after: last }) })
  })

  app.get('/imports/:taskId/errors.csv', async (c) => {
    const { id } = await findTask(errand, c.req.param('taskId'), whoAsks(c).tenant)
    const { stringify } = await import('csv-stringify/sync')
    return c.body(Readable.toWeb(Readable.from(csvOf(imports, id, stringify))), 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="errors.csv"',
    })
  })
}

type Stringify = typeof import('csv-stringify/sync').stringify

async function* csvOf(imports: Imports, id: string, stringify: Stringify): AsyncGenerator<Buffer> {
  const columns = ['row', 'field', 'why']
  yield Buffer.from(stringify([columns]))
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = imports.misfits(id, after)
    yield Buffer.from(stringify(page, { columns }))
    after = page.at(-1)?.row
    // Other requests have their turn.
    // oxlint-disable-next-line no-await-in-loop
    await setImmediate()
  }
}
