import type { Define } from '../commands.ts'
import { readJson } from '../json.ts'

export const signal: Define = (command, desk) => {
  command
    .argument('<id>', 'the job')
    .argument('<name>', 'what its handler waits for')
    .argument('[value]', 'JSON that it is given; - reads it from standard input', 'null')
    .option('--if-waiting', 'refuse unless the job waits for it just now')
    .option('--key <key>', 'sent again under the same key it counts once')
    .action(async (given: string, name: string, said: string, flags: Flags) => {
      const id = given.toLowerCase()
      const value = await readJson('value', said)
      await using errand = await desk.errand()
      const { repeated } = await errand.client.signal(id, name, value, {
        ...flags,
        by: desk.by(),
      })
      const did = repeated ? 'had that signal already' : 'was sent it'
      desk.print.show({ id, name, repeated }, () => `${id} ${did}`)
    })
}

type Flags = { ifWaiting?: true; key?: string }
