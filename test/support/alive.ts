import { spawnSync } from 'node:child_process'
import { until } from './command.ts'

/** How the kernel sees a process, as a letter: R is busy, Z has ended and nobody has asked how; empty for none. */
export const stateOf = (pid: number): string =>
  spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' })
    .stdout.trim()
    .slice(0, 1)

export const lives = (pid: number): boolean => !['', 'Z'].includes(stateOf(pid))

export const hasEnded = (pid: number): Promise<true> =>
  until(() => (lives(pid) ? undefined : true), `process ${pid} goes on`)
