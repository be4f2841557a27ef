import { hasCode } from '../../job/errors.ts'
import { pendingSince } from '../../stores.ts'
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
  const { schema: before } = await standing(desk)
  await using errand = await desk.errand({ migrate: true })
  const { schema } = errand.store.about
  desk.print.show({ before, schema }, () =>
    before === schema
      ? `the store has schema ${schema} already`
      : `the store went from schema ${before} to ${schema}`,
  )
}

async function printPending(desk: Desk): Promise<void> {
  const { schema, isOutdated } = await standing(desk)
  const pending = isOutdated ? await pendingSince(desk.settings.store, schema) : []
  desk.print.show(pending, () =>
    pending.length === 0
      ? `-- nothing is pending; the store has schema ${schema}`
      : pending.map(({ sql }) => sql.trim()).join('\n\n'),
  )
}

/** The schema the store has, as it stands. */
async function standing(desk: Desk): Promise<{ schema: number; isOutdated: boolean }> {
  try {
    await using errand = await desk.errand({ migrate: false })
    return { schema: errand.store.about.schema, isOutdated: false }
  } catch (error) {
    if (hasCode(error, 'SCHEMA_OUTDATED'))
      return { schema: Number(error.details.found), isOutdated: true }
    throw error
  }
}
