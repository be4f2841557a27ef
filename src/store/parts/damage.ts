import { ErrandError } from '../../job/errors.ts'
import { type Stop, STOPS } from '../../job/batch.ts'
import { type Reason, REASONS } from '../../job/state.ts'

/** What lies in the store is not what a store of ours holds. @throws ErrandError STORE_CORRUPT */
export const damaged = (): never => {
  throw new ErrandError('STORE_CORRUPT', { file: 'has a row of another shape' })
}

export const toReason = (text: string): Reason =>
  REASONS.find((reason) => reason === text) ?? damaged()

export const toStop = (text: string): Stop => STOPS.find((stop) => stop === text) ?? damaged()
