import { readText } from './options.ts'

/** The name of a mailbox's letters that are signals of this name. @throws ErrandError INVALID_OPTION */
export const boxOf = (signal: string): string =>
  `signal:${readText('signal', signal, { max: 100 })}`

const SIGNAL = 'signal:'

/** Which signal a letter of this name is; nothing when it is none. */
export const signalOf = (name: string): string | undefined =>
  name.startsWith(SIGNAL) ? name.slice(SIGNAL.length) : undefined
