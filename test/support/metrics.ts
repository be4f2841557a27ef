import { type Bytes, decodeJson } from '../../src/base/json.ts'
import { bytes } from './jobs.ts'

/** Folds metrics that are plain numbers; known to child processes too, where functions cannot be sent. */
export const addUp = (metrics: readonly Bytes[]): Bytes =>
  bytes(`${metrics.reduce((sum, given) => sum + Number(decodeJson(given)), 0)}`)
