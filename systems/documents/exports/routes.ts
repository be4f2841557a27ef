import type { App, Desk } from 'errand'
import { whoAsks } from '../../common/who.ts'
import { readBody } from '../reading.ts'
import { idOf } from '../repeat.ts'
import { ownedBy } from '../tasks/kinds.ts'
import { exportTable } from './contract.ts'

type Routes = Parameters<NonNullable<App['routes']>>[0]

export function exportRoutes(app: Routes, errand: Desk): void {
  app.post('/exports', async (c) => {
    const input = await readBody(c, exportTable.input)
    const options = { id: idOf(c), ...ownedBy(whoAsks(c).tenant) }
    const { id } = await errand.enqueue(exportTable, input, options)
    return c.json({ message: 'Export started', task_id: id }, 202)
  })
}
