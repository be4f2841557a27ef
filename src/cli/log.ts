import { type DestinationStream, type Logger, pino } from 'pino'
import { clean, type Out, Print } from './print.ts'
import type { Settings } from './rows.ts'

export type Log = Logger

/** Lines of JSON, or short ones for people on a terminal. */
export function openLog({ logLevel }: Pick<Settings, 'logLevel'>, out: Out = process.stdout): Log {
  const options = { level: logLevel, base: { pid: process.pid } }
  return out.isTTY === true
    ? pino(options, readable(out))
    : pino(options, pino.destination({ fd: 1, sync: true }))
}

const LEVELS = new Map([
  [10, ['gray', 'trace']],
  [20, ['gray', 'debug']],
  [30, ['green', 'info']],
  [40, ['yellow', 'warn']],
  [50, ['red', 'error']],
  [60, ['red', 'fatal']],
] as const)

function readable(out: Out): DestinationStream {
  const print = new Print(false, out)
  return {
    write(line: string) {
      const { level, time, msg = '', pid: _, ...rest }: Line = JSON.parse(line)
      const [colour, word] = LEVELS.get(level) ?? ['gray', 'log']
      const details = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)
      const clock = print.paint('gray', new Date(time).toISOString().slice(11, 19))
      const text = [clean(msg), print.paint('gray', clean(details.join(' ')))].join(' ')
      out.write(`${clock} ${print.paint(colour, word.padEnd(5))} ${text}\n`)
    },
  }
}

type Line = {
  level: Parameters<typeof LEVELS.get>[0]
  time: number
  msg?: string
  pid: number
} & Record<string, unknown>
