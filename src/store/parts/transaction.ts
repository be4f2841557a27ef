import { ErrandError } from '../../job/errors.ts'
import type { Transaction } from '../contract.ts'

/** For stores that have no part in other databases' transactions. @throws ErrandError TX_UNSUPPORTED */
export function refuseTransaction(store: string, tx: Transaction | undefined): void {
  if (tx !== undefined) throw new ErrandError('TX_UNSUPPORTED', { store })
}
