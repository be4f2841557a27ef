import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readXlsx } from 'hucre/xlsx'
import { z } from 'zod'
import { exportTable } from '../../../systems/documents/exports/contract.ts'
import { csvOf } from '../../../systems/documents/exports/csv.ts'
import { readingsTable, type Table } from '../../../systems/documents/exports/tables.ts'
import { xlsxOf } from '../../../systems/documents/exports/xlsx.ts'
import { until } from '../../support/until.ts'
import { onEachStore } from '../stage.ts'
import { type Documents, finish, openDocumentsOn } from './stage.ts'

const MB = 1_000_000

async function ask(system: Documents, input: object): Promise<string> {
  const answer = await system.post('/documents/exports', input)
  assert.equal(answer.status, 202)
  return z.object({ task_id: z.uuid() }).parse(await answer.json()).task_id
}

async function exported(system: Documents, input: object) {
  const { status, result } = await finish(system, await ask(system, input))
  assert.equal(status, 'SUCCESS')
  const file = await system.ask(String(result?.['url']))
  return {
    result,
    type: file.headers.get('content-type'),
    bytes: new Uint8Array(await file.arrayBuffer()),
  }
}

onEachStore((open) => {
  test('a table comes as CSV, and the same as a workbook', async () => {
    await using system = await openDocumentsOn(open)
    const csv = await exported(system, { table: 'documents', format: 'csv' })
    assert.match(csv.type ?? '', /^text\/csv/)
    const lines = new TextDecoder().decode(csv.bytes).trim().split('\n')
    assert.equal(lines.length, 51)
    assert.equal(csv.result?.['bytes'], csv.bytes.length)

    const xlsx = await exported(system, { table: 'documents', format: 'xlsx' })
    const { sheets } = await readXlsx(xlsx.bytes)
    assert.equal(sheets[0]?.name, 'Documents')
    assert.equal(sheets[0]?.rows.length, 51)
    assert.equal(sheets[0]?.rows[1]?.[0], lines[1]?.split(',')[0])
  })

  test('an export that is cancelled leaves no file', async () => {
    await using system = await openDocumentsOn(open)
    const id = await ask(system, { table: 'readings', format: 'csv', rows: 10_000_000 })
    const worker = await system.work()
    const { errand } = system
    await until(errand.store, async () => (await errand.job(id)).progress)
    await errand.cancel(id)
    const { state, artifacts } = await errand.ended(id, 20_000)
    await worker.stop()
    assert.deepEqual([state, artifacts], ['cancelled', undefined])
  })

  test('the report of the week is an export and a mail, whoever fires it', async () => {
    await using system = await openDocumentsOn(open)
    const worker = await system.work()
    const { cron, zone } = await system.errand.schedules.get('documents.weekly-report')
    assert.deepEqual([cron, zone], ['0 6 * * mon', 'Australia/Perth'])
    const { id } = await system.errand.schedules.run('documents.weekly-report')
    const { result } = await system.errand.ended(id, 20_000)
    await worker.stop()
    assert.deepEqual(result, { file: 'documents.xlsx', mailId: 'mail-1' })
    const [made] = (await system.errand.list({ job: exportTable.name }, 5)).jobs
    assert.equal(made?.artifacts?.[0]?.file, 'documents.xlsx')
    assert.equal((await system.sent()).count, 1)
  })

  test('what cannot be exported is refused with its place', async () => {
    await using system = await openDocumentsOn(open)
    const answer = await system.post('/documents/exports', { table: 'people', format: 'csv' })
    assert.equal(answer.status, 422)
    assert.match(await answer.text(), /"\/table"/)
  })
})

for (const [name, write] of Object.entries({ csv: csvOf, xlsx: xlsxOf }))
  test(`a long ${name} is written in memory that stays flat`, async () => {
    let bytes = 0
    let most = 0
    const before = process.memoryUsage().heapUsed
    for await (const chunk of write(readingsTable(200_000))) {
      bytes += chunk.length
      most = Math.max(most, chunk.length)
    }
    assert.ok(bytes > 5 * MB, `${bytes}`)
    assert.ok(most < MB, 'nothing is gathered')
    assert.ok(process.memoryUsage().heapUsed - before < 150 * MB)
  })

test('no cell of a CSV is run as a formula', async () => {
  const column = { key: 'a', header: 'A', width: 1 }
  const table: Table = { name: 'T', columns: [column], total: 1, rows: [{ a: '=1+1' }] }
  let text = ''
  for await (const chunk of csvOf(table)) text += new TextDecoder().decode(chunk)
  assert.match(text, /\n'=1\+1/)
})

test('a cell that a workbook cannot hold is cut, and none is read as a character', async () => {
  const column = { key: 'a', header: 'A', width: 1 }
  const rows = [{ a: 'x'.repeat(40_000) }, { a: '_x0041_' }]
  const chunks: Uint8Array[] = []
  for await (const chunk of xlsxOf({ name: 'T', columns: [column], total: 2, rows }))
    chunks.push(chunk)
  const { sheets } = await readXlsx(Buffer.concat(chunks))
  const cells = sheets[0]?.rows.slice(1).map(([cell]) => String(cell)) ?? []
  assert.deepEqual([cells[0]?.length, cells[1]], [32_767, '_x0041_'])
})
