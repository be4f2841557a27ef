import type { Files } from '../files/contract.ts'
import { ErrandError } from '../job/errors.ts'
import type { Job, JobId } from '../job/job.ts'
import { type Cancelling, decideCancel } from '../job/outcome.ts'
import { isEnded } from '../job/state.ts'
import type { Intake, Lookout } from '../store/contract.ts'
import type { AuditLog, OnBehalf } from './audit.ts'

type Store = Pick<Intake, 'cancel' | 'erase'> & Pick<Lookout, 'find' | 'findBatches'>

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
   * Erases a job and all it left, now. One that has not begun or waits is cancelled first, so that its caller hears of
   * its end; one that runs is refused, and so is one whose hook has not completed or would have to run, or whose batch
   * takes more. What is refused stays as it is. A file that outlives the process is removed within a day.
   * @throws ErrandError JOB_NOT_FOUND, WRONG_STATE (it runs), STILL_HOOKED, BATCH_OPEN
   */
  async erase(id: JobId, { by }: OnBehalf = {}): Promise<void> {
    const [job] = await this.#intake.find([id])
    if (job === undefined) throw new ErrandError('JOB_NOT_FOUND', { id })
    if (job.state === 'running')
      throw new ErrandError('WRONG_STATE', { id, state: job.state, verb: 'erased' })
    const end = isEnded(job.state) ? undefined : { id, outcome: decideCancel(job, Date.now()) }
    if (end) await this.#refuseUnfit(job, end.outcome)
    await this.#log.write({ act: 'erase', jobs: [id] }, by)
    if (end) await this.#intake.cancel([end])
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

  /** Its end would not be enough: then it is not brought about. */
  async #refuseUnfit({ id, place }: Job, { hook }: Cancelling): Promise<void> {
    if (hook) throw new ErrandError('STILL_HOOKED', { id })
    const [open] = place ? await this.#intake.findBatches([place.batch]) : []
    if (open && open.closedAt === undefined) throw new ErrandError('BATCH_OPEN', { id })
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
