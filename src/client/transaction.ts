import { ErrandError } from '../job/errors.ts'
import type { EnqueueOptions } from '../job/prepare.ts'
import type { Transaction } from '../store/contract.ts'

export type InTransaction = {
  /**
   * On PostgreSQL: your transaction, by whatever sends a statement within it: a `Client` or `PoolClient` of
   * `pg` between BEGIN and COMMIT (never a pool), or `{ query }` around that of another library. The job
   * is there, and a worker is woken, when you commit; nothing is left when you roll back. Its moments count
   * from the enqueue. Nothing is sent for an input or option that is refused, and ID_TAKEN and UNIQUE_TAKEN
   * leave the transaction whole. An error that begins with STORE_ means that it is broken and can only be
   * rolled back; it is never sent again here, and `cause` is what your library threw.
   */
  tx?: Transaction
}

type Parts = { terms?: EnqueueOptions; tx?: Transaction }

/** The transaction goes beside the job, and is no part of it. @throws ErrandError INVALID_OPTION */
export function takeApart(options: (EnqueueOptions & InTransaction) | undefined): Parts {
  if (options === undefined) return {}
  if (!('tx' in options)) return { terms: options }
  const { tx, ...terms } = options
  if (tx === undefined) return { terms }
  if (typeof tx?.query === 'function') return { terms, tx }
  throw new ErrandError('INVALID_OPTION', {
    option: 'tx',
    problem: 'needs a query(text, values) that sends within your transaction',
  })
}
