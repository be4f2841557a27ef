import { Argument } from 'commander'
import { ErrandError } from '../../job/errors.ts'
import type { Define } from '../commands.ts'
import { limitsPage } from '../limits-page.ts'
import { counted } from '../print.ts'

export const limits: Define = (command, desk) => {
  command
    .addArgument(new Argument('[act]', 'open: let calls pass before its time').choices(['open']))
    .argument('[name]', 'the limit')
    .option('--note <text>', 'why, for the audit log')
    .action(async (act?: string, name?: string, { note }: { note?: string } = {}) => {
      if (act !== undefined && name === undefined)
        throw new ErrandError('INVALID_OPTION', {
          option: 'name',
          problem: 'is needed: which limit',
        })
      await using errand = await desk.errand()
      if (name !== undefined) {
        const woken = await errand.openLimit(name, { by: desk.by(note) })
        return desk.print.show(
          { name, woken },
          () => `${name} is open, ${counted(woken, 'job')} woken`,
        )
      }
      const views = await errand.limits()
      desk.print.show(views, () => limitsPage(desk.print, views))
    })
}
