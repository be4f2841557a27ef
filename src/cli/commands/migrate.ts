import { hasCode } from '../../job/errors.ts'
import type { Define } from '../commands.ts'
import type { Desk } from '../desk.ts'

export const migrate: Define = (command, desk) => {
  command
    .option('--print', 'print the SQL that is pending, and change nothing')
    .action(async ({ print = false }: { print?: boolean }) =>
      print ? printPending(desk) : apply(desk),
    )
}

async function apply(desk: Desk): Promise<void> {
  const before = await schemaOf(desk)
  await using errand = await desk.errand({ migrate: true })
  const { schema } = errand.store.about
  desk.print.show({ before, schema }, () =>
    before === schema
      ? `the store has schema ${schema} already`
      : `the store went from schema ${before} to ${schema}`,
  )
}

async function printPending(desk: Desk): Promise<void> {
  const before = await schemaOf(desk)
  const { MIGRATIONS } = await import('../../store/sqlite/migrate.ts')
  const pending = MIGRATIONS.filter(({ version }) => version > before)
  desk.print.show(pending, () =>
    pending.length === 0
      ? `-- nothing is pending; the store has schema ${before}`
      : pending.map(({ sql }) => sql.trim()).join('\n\n'),
  )
}

/** The schema the store has, as it stands. */
async function schemaOf(desk: Desk): Promise<number> {
  try {
    await using errand = await desk.errand({ migrate: false })
    return errand.store.about.schema
  } catch (error) {
    if (hasCode(error, 'SCHEMA_OUTDATED')) return Number(error.details.found)
    throw error
  }
}
