import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Millis } from './time.ts'

/** What happens at a point: the process dies, freezes, stands still for a while, or is told it failed. */
type Act = { how: 'crash' | 'stop' | 'error' } | { how: 'delay'; ms: Millis }
type Point = { act: Act; hit: number; seen: number }

const PART = /^([a-zA-Z]+\.[a-z_]+)=(crash|stop|error|delay)(?::(\d+))?(?:@(\d+))?$/

let points: Map<string, Point> | undefined
let marks: string | undefined

/**
 * Arms points of this process: `exchange.after_commit=crash@3,renew.before_commit=delay:200`. Each acts
 * at its first passing, or at the one named, and once among all processes that share the folder for
 * marks: whoever takes over may pass. Returns a part that makes no sense, if any.
 */
export function armFailpoints(text: string, folder: string): string | undefined {
  points = new Map()
  marks = folder
  for (const part of text.split(',')) {
    const [, name = '', how, ms = '0', hit = '1'] = PART.exec(part) ?? []
    if (how !== 'crash' && how !== 'stop' && how !== 'error' && how !== 'delay') return part
    const act: Act = how === 'delay' ? { how, ms: Number(ms) } : { how }
    points.set(name, { act, hit: Number(hit), seen: 0 })
  }
  return undefined
}

export const isArmed = (): boolean => points !== undefined

/**
 * A place where a process may die, named by what it does and when. None is armed outside of tests: then
 * it costs a comparison.
 */
export function failpoint(name: string): void {
  const point = points?.get(name)
  if (point === undefined || ++point.seen !== point.hit || !isFirst(name)) return
  const { act } = point
  if (act.how === 'crash') process.kill(process.pid, 'SIGKILL')
  else if (act.how === 'stop') process.kill(process.pid, 'SIGSTOP')
  else if (act.how === 'delay') standStill(act.ms)
  else throw new Error(`failed on purpose at ${name}`)
}

function isFirst(name: string): boolean {
  try {
    closeSync(openSync(join(marks ?? '', `failpoint.${name}`), 'wx'))
    return true
  } catch {
    return false
  }
}

/** Keeps the event loop from turning, as a frozen process would. */
function standStill(ms: Millis): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
