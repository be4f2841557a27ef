import type { By } from '../job/audit.ts'
import type { JobId } from '../job/job.ts'
import { opened, refuseLimit, limitWait } from '../job/rate.ts'
import type { Intake, Letter, Lookout } from '../store/contract.ts'
import type { AuditLog } from './audit.ts'

type Store = Pick<Intake, 'hold' | 'post'> & Pick<Lookout, 'list' | 'rates'>

const PAGE = 200

/**
 * Opens a limit before its time, and wakes the jobs that were given back because of it.
 * @returns how many those are
 * @throws ErrandError UNKNOWN_LIMIT
 */
export async function openLimit(
  name: string,
  store: Store,
  log: AuditLog,
  by?: By,
): Promise<number> {
  await log.write({ act: 'open', jobs: [], limit: name }, by)
  if ((await store.hold(name, 0)) === undefined) refuseLimit(name, await store.rates())
  let woken = 0
  let cursor: string | undefined
  do {
    const page = await store.list({ state: 'waiting' }, PAGE, cursor)
    const letters = page.jobs
      .filter(({ waitingFor }) => waitingFor === limitWait(name))
      .map(({ id, fence }) => letterTo(id, opened(name, fence)))
    const posted = letters.length > 0 ? await store.post(letters) : []
    woken += posted.filter((answer) => answer === 'posted').length
    cursor = page.next
  } while (cursor !== undefined)
  return woken
}

const letterTo = (to: JobId, name: string): Letter => ({
  to,
  name,
  key: '',
  value: new Uint8Array(),
  ifWaiting: true,
})
