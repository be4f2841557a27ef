import { randomUUID } from 'node:crypto'
import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rehearse } from 'errand/testing'
import { documentsApp } from '../../../systems/documents/app.ts'
import { importContacts } from '../../../systems/documents/imports/contract.ts'
import { openRecords } from '../../../systems/documents/records.ts'
import { onEachStore } from '../stage.ts'
import { finish, openDocumentsOn } from './stage.ts'

const ROWS = 1000
const lines = Array.from(
  { length: ROWS },
  (_, i) => `Visitor ${i + 1},visitor-${i + 1}@example.net,Guests`,
)
const CSV = ['name,email,team', ...lines].join('\n')
const SPOILT = CSV.replace('visitor-17@example.net', 'nowhere').replace('Visitor 800,', ',')

onEachStore((open) => {
  test('two rows of a thousand that do not fit are named, and the others come in', async () => {
    await using system = await openDocumentsOn(open)
    const id = await system.upload('imports?name=visitors.csv', SPOILT)
    const { status, result, with_errors: withErrors } = await finish(system, id)
    assert.deepEqual([status, withErrors], ['SUCCESS', true])
    assert.deepEqual(result, { rows: ROWS, imported: 998, refused: 2 })
    assert.deepEqual(await system.json(`/documents/imports/${id}/errors`), {
      data: [
        { row: 17, field: 'email', why: 'is no address' },
        { row: 800, field: 'name', why: 'is missing' },
      ],
    })
    const csv = await (await system.ask(`/documents/imports/${id}/errors.csv`)).text()
    assert.equal(csv, 'row,field,why\n17,email,is no address\n800,name,is missing\n')
    using records = openRecords(system.place)
    assert.equal(records.contacts.count, 500 + 998)
  })

  test('a file that is no list of contacts fails at once, says why, and nobody of it comes in', async () => {
    await using system = await openDocumentsOn(open)
    const head = 'name,email,team\nAda,ada@example.net,T\n'
    const files = [
      ['colour,size\nred,1\n', /needs the columns name and email/],
      [`${head}Bob,bob@example.net,"open\nCy,cy@example.net,T\n`, /^line 3 cannot be read/],
      [Buffer.from(`${head}Zo\u00eb,zoe@example.net,T\n`, 'latin1'), /no text in UTF-8/],
    ] as const
    for (const [content, why] of files) {
      const id = await system.upload('imports?name=other.csv', content)
      const { status, error } = await finish(system, id)
      assert.equal(status, 'FAILURE')
      assert.match(error?.message ?? '', why)
    }
    using records = openRecords(system.place)
    assert.equal(records.contacts.count, 500)
  })

  test('rows have the numbers of the file, and one person who is written in two ways is one', async () => {
    await using system = await openDocumentsOn(open)
    const rows = [
      'Ada, Ada@Example.net ,T',
      '',
      ',,',
      'Ada B,ada@example.net,T',
      'Bob,nowhere,T',
      'Cy',
    ]
    const id = await system.upload('imports?name=a.csv', ['name,email,team', ...rows].join('\r\n'))
    const { result } = await finish(system, id)
    assert.deepEqual(result, { rows: 4, imported: 2, refused: 2 })
    const { data } = await system.misfits(id)
    assert.deepEqual(data, [
      { row: 5, field: 'email', why: 'is no address' },
      { row: 6, field: 'email', why: 'is missing' },
    ])
    using records = openRecords(system.place)
    assert.equal(records.contacts.count, 501)
  })

  test('semicolons and tabs stand between columns where the first line shows them, as spreadsheets in Europe write them', async () => {
    await using system = await openDocumentsOn(open)
    using records = openRecords(system.place)
    const files = [
      '\uFEFF"name";"email";"team, or none"\r\n"Byron; Ada";ada@example.net;x\r\n"B ""Bo"" B";nowhere;x\r\n',
      '\uFEFFname\temail\nByron; Ada\tada@example.net\nBo, B\tnowhere\n',
      '"name","a;b;c",email\n"Byron; Ada",x,ada@example.net\nBo,x,nowhere\n',
    ]
    for (const [i, content] of files.entries()) {
      const csv = content.replaceAll('ada@', `ada-${i}@`)
      const id = await system.upload('imports?name=excel.csv', csv)
      assert.deepEqual((await finish(system, id)).result, { rows: 2, imported: 1, refused: 1 })
      const { data } = await system.misfits(id)
      assert.deepEqual(data, [{ row: 2, field: 'email', why: 'is no address' }])
      const put = records.contacts.find(501 + i)
      assert.deepEqual([put?.name, put?.address], ['Byron; Ada', `ada-${i}@example.net`])
    }
  })

  test('a list that knows no teams leaves those that are known', async () => {
    await using system = await openDocumentsOn(open)
    using records = openRecords(system.place)
    const before = records.contacts.find(1)
    const csv = `name,email\nAda,${before?.address}\nNobody,new@example.net\n`
    await finish(system, await system.upload('imports?name=few.csv', csv))
    assert.deepEqual(records.contacts.find(1), { ...before, name: 'Ada' })
    assert.equal(records.contacts.find(501)?.team, '')
  })

  test('rows that do not fit are told page by page, or all of them as a file', async () => {
    await using system = await openDocumentsOn(open)
    const csv = ['name,email', ...Array.from({ length: 1200 }, () => 'Nobody,nowhere')].join('\n')
    const id = await system.upload('imports?name=a.csv', csv)
    await finish(system, id)
    const first = await system.misfits(id)
    assert.deepEqual([first.data.length, first.next_after], [1000, 1000])
    const rest = await system.misfits(id, '?after=1000')
    assert.deepEqual([rest.data.length, rest.next_after], [200, undefined])
    const file = await (await system.ask(`/documents/imports/${id}/errors.csv`)).text()
    assert.equal(file.trimEnd().split('\n').length, 1201)
  })
})

test('an import that is cut off goes on from where it was', async () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-documents-'))
  const place = { database: join(dir.path, 'documents.db'), uploads: join(dir.path, 'uploads') }
  await using errand = await rehearse(documentsApp(place))
  using records = openRecords(place)
  const fileId = randomUUID()
  records.uploads.add({ id: fileId, name: 'visitors.csv', notify: undefined }, Buffer.from(CSV))
  using database = new DatabaseSync(place.database)
  database.exec(`create table put (address text) strict;
    create trigger puts after insert on contact begin insert into put values (new.address); end;
    create trigger repeats after update on contact begin insert into put values (new.address); end;
    create trigger breaks before insert on contact when new.address = 'visitor-555@example.net'
      begin select raise(abort, 'the disk is full'); end`)
  const { id } = await errand.enqueue(importContacts, { fileId })
  await errand.drain()
  assert.equal((await errand.job(id)).state, 'scheduled')
  assert.equal(records.imports.reached(id), 500)
  database.exec('drop trigger breaks; delete from put')
  await errand.advance('1m')
  assert.deepEqual((await errand.job(id)).result, { rows: ROWS, imported: ROWS, refused: 0 })
  assert.equal(database.prepare('select count(*) as n from put').get()?.n, 500)
})
