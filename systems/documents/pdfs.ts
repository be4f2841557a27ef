import { type Desk, ErrandError, hasCode } from 'errand'
import { documentPdf } from './contract.ts'
import { type Documents, pdfName, type ProjectDocument } from './documents.ts'

/** The PDFs of documents: asked for, in progress, there. Every answer is read from the job. */
export class Pdfs {
  readonly #errand: Desk
  readonly #documents: Documents

  constructor(errand: Desk, documents: Documents) {
    this.#errand = errand
    this.#documents = documents
  }

  /** The id of the job that makes this document's PDF: the one at work, or a new one. */
  async request({ id }: ProjectDocument): Promise<string> {
    const { id: taskId } = await this.#errand.enqueue(documentPdf, { documentId: id })
    this.#documents.requested(id, taskId)
    this.#documents.started(id, taskId)
    return taskId
  }

  /** Ends a job before it has ended by itself: at once, or within two seconds when it is running. */
  async cancel(taskId: string): Promise<void> {
    await findTask(this.#errand, taskId)
    await this.#errand.cancel(taskId)
  }

  /** A signed link to the PDF that is there, good for at most 7 days. */
  async link(document: ProjectDocument): Promise<string | undefined> {
    const { pdfTaskId } = document
    if (pdfTaskId === undefined) return undefined
    const file = await orGone(this.#errand.artifact(pdfTaskId, pdfName(document)))
    return file && this.#errand.link(pdfTaskId, file.file, '7d')
  }

  /** The link once the PDF is made, or undefined when that takes longer than `ms`. */
  async linkWithin(taskId: string, ms: number): Promise<string | undefined> {
    try {
      const { file } = await this.#errand.result(documentPdf, taskId, { wait: ms })
      return this.#errand.link(taskId, file, '7d')
    } catch (error) {
      if (hasCode(error, 'RESULT_NOT_READY')) return undefined
      throw error
    }
  }

  async status(document: ProjectDocument): Promise<'none' | 'generating' | 'ready' | 'failed'> {
    const task = document.taskId && (await orGone(this.#errand.job(document.taskId)))
    if (!task) return 'none'
    if (task.state === 'failed' || task.state === 'cancelled') return 'failed'
    if (task.state !== 'completed') return 'generating'
    return (await this.link(document)) ? 'ready' : 'none'
  }
}

/** Jobs and files are erased when their time is over; that is no error here. */
async function orGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (hasCode(error, 'JOB_NOT_FOUND') || hasCode(error, 'ARTIFACT_NOT_FOUND')) return undefined
    throw error
  }
}

/** The job behind a task id of this API. @throws ErrandError JOB_NOT_FOUND, also for other jobs' ids */
export async function findTask(errand: Desk, taskId: string) {
  const view = await errand.job(taskId)
  if (view.job !== documentPdf.name) throw new ErrandError('JOB_NOT_FOUND', { id: taskId })
  return view
}
