import type { Files } from '../files/contract.ts'
import { ErrandError } from '../job/errors.ts'
import type { JobId } from '../job/job.ts'
import { decideCancel } from '../job/outcome.ts'
import { isEnded } from '../job/state.ts'
import type { Intake, Lookout } from '../store/contract.ts'
import type { AuditLog, OnBehalf } from './audit.ts'

type Store = Pick<Intake, 'cancel' | 'erase'> & Pick<Lookout, 'find'>

/** Removes jobs before their time. */
export class Erasing {
  readonly #intake: Store
  readonly #files: Pick<Files, 'removeAll'> | undefined
  readonly #log: AuditLog

  constructor(intake: Store, files: Pick<Files, 'removeAll'> | undefined, log: AuditLog) {
    this.#intake = intake
    this.#files = files
    this.#log = log
  }

  /**
   * Erases a job and all it left, now. One that has not begun or waits is cancelled first, so that its hook and its
   * caller hear of its end; one that runs is refused, and so is one whose hook has not completed, or whose batch takes more. A file that
   * outlives the process is removed within a day.
   * @throws ErrandError JOB_NOT_FOUND, WRONG_STATE (it runs), STILL_HOOKED, BATCH_OPEN
   */
  async erase(id: JobId, { by }: OnBehalf = {}): Promise<void> {
    const [job] = await this.#intake.find([id])
    if (job === undefined) throw new ErrandError('JOB_NOT_FOUND', { id })
    if (job.state === 'running')
      throw new ErrandError('WRONG_STATE', { id, state: job.state, verb: 'erased' })
    await this.#log.write({ act: 'erase', jobs: [id] }, by)
    if (!isEnded(job.state))
      await this.#intake.cancel([{ id, outcome: decideCancel(job, Date.now()) }])
    await this.#eraseOne(id)
  }

  /**
   * Erases a failed or cancelled job that needs no more of anybody.
   * @throws ErrandError JOB_NOT_FOUND, WRONG_STATE, STILL_HOOKED, BATCH_OPEN
   */
  async discard(id: JobId, { by }: OnBehalf = {}): Promise<void> {
    const [job] = await this.#intake.find([id])
    if (job === undefined) throw new ErrandError('JOB_NOT_FOUND', { id })
    if (job.state !== 'failed' && job.state !== 'cancelled')
      throw new ErrandError('WRONG_STATE', { id, state: job.state, verb: 'discarded' })
    await this.#log.write({ act: 'discard', jobs: [id] }, by)
    await this.#eraseOne(id)
  }

  async #eraseOne(id: JobId): Promise<void> {
    const [answer = 'gone'] = await this.#intake.erase([id])
    if (answer === 'gone') throw new ErrandError('JOB_NOT_FOUND', { id })
    if (answer === 'hooked') throw new ErrandError('STILL_HOOKED', { id })
    if (answer === 'filling') throw new ErrandError('BATCH_OPEN', { id })
    if (answer !== 'erased')
      throw new ErrandError('WRONG_STATE', { id, state: answer, verb: 'erased' })
    await this.#files?.removeAll(id)
  }
}
