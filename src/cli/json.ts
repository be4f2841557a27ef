import { text } from 'node:stream/consumers'
import { ErrandError } from '../job/errors.ts'

/** JSON of the command line; `-` reads it from standard input. @throws ErrandError INVALID_OPTION */
export async function readJson(option: string, given: string): Promise<unknown> {
  const said = given === '-' ? await text(process.stdin) : given
  try {
    return JSON.parse(said)
  } catch (cause) {
    throw new ErrandError(
      'INVALID_OPTION',
      { option, problem: `needs JSON, such as '{"name":"Ada"}'` },
      { cause },
    )
  }
}
