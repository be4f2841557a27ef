import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { statements } from '../../src/base/statements.ts'

const TEXT = `-- peep: looks at two things.
--
-- In      nothing

-- name: first
-- Why it is so.
select 1;

-- name: second
select 2
from things;
`

test('each named statement of a file stands for itself, without the header', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'errand-sql-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'peep.sql')
  writeFileSync(file, TEXT)
  assert.deepEqual(statements(pathToFileURL(file)), {
    first: '-- Why it is so.\nselect 1;',
    second: 'select 2\nfrom things;',
  })
})
