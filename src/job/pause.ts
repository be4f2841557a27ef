import { type Bytes, encodeJson, readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import { iso } from './view.ts'

/** Why a queue is paused, as it is kept under its name. */
export type Pause = { at: Millis; person?: string; reason?: string }

/** Since when a queue is paused, by whom, and why. */
export type PauseView = { since: string; person?: string; reason?: string }

export const encodePause = (pause: Pause): Bytes => encodeJson(pause) ?? new Uint8Array()

/** A queue is paused although nobody can read why. */
export const toPauseView = (bytes: Bytes): PauseView => {
  const { at, ...rest } = readOwn<Pause>(bytes, { at: 0, reason: 'this entry cannot be read' })
  return { since: iso(at), ...rest }
}
