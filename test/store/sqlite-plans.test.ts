import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { statements } from '../../src/base/statements.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { chore } from '../support/jobs.ts'

const FOLDER = new URL('../../src/store/sqlite/', import.meta.url)

/** Statements whose cost must not grow with what is stored. */
const HOT = {
  'exchange.sql': ['paused', 'ready', 'claim', 'settle', 'held', 'promote', 'due', 'answer'],
  'sweep.sql': ['orphan', 'take'],
  'insert.sql': ['same', 'holder'],
  'purge.sql': ['ripe', 'erase', 'expired'],
  'look.sql': ['find', 'holder', 'ready', 'scheduled', 'failed', 'cancelled', 'all', 'tagged'],
  'note.sql': ['holds', 'progress'],
  'put.sql': ['find', 'due', 'next'],
  'mail.sql': ['box', 'known', 'count', 'there', 'lacking', 'awake'],
}

const db = new DatabaseSync(':memory:')
migrate(db)

const planOf = (sql: string): string[] =>
  db
    .prepare(`explain query plan ${sql}`)
    .all()
    .map(({ detail }) => String(detail))

for (const [file, names] of Object.entries(HOT))
  for (const name of names)
    test(`${name} of ${file} walks an index and sorts nothing`, () => {
      const plan = planOf(statements(new URL(file, FOLDER))[name] ?? '')
      const costly = plan.filter(
        (step) =>
          /USE TEMP B-TREE/.test(step) ||
          (/^SCAN (job|body)\b/.test(step) && !step.includes('INDEX')),
      )
      // A walk by `turn` is the order of the table itself.
      assert.deepEqual(name === 'all' ? [] : costly, [])
    })

test('the ready line is read from its own index', () => {
  const plan = planOf(statements(new URL('exchange.sql', FOLDER)).ready ?? '')
  assert.match(plan.join('\n'), /USING INDEX job_ready/)
})

test('a hundred calls of one turn share one transaction', async () => {
  let transactions = 0
  const clock = {
    now: () => {
      transactions++
      return 1_000_000
    },
  }
  await using store = await SqliteStore.open(':memory:', { clock })
  await Promise.all(Array.from({ length: 100 }, () => store.insert([chore()])))
  assert.equal(transactions, 1)
})
