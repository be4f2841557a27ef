import { type Desk, hasCode, type JobView } from 'errand'
import { ownedBy } from '../tasks/kinds.ts'
import { documentPdf } from '../contract.ts'
import { orGone } from '../gone.ts'
import { type Documents, pdfName, type ProjectDocument } from '../documents.ts'

/** The PDFs of documents: asked for, in progress, there. Every answer is read from the job. */
export class Pdfs {
  readonly #errand: Desk
  readonly #documents: Documents

  constructor(errand: Desk, documents: Documents) {
    this.#errand = errand
    this.#documents = documents
  }

  /** The id of the job that makes this document's PDF: the one at work, or a new one. */
  async request({ id }: ProjectDocument, tenant = ''): Promise<string> {
    const input = { documentId: id }
    const { id: taskId } = await this.#errand.enqueue(documentPdf, input, ownedBy(tenant))
    this.#documents.requested(id, taskId)
    this.#documents.started(id, taskId)
    return taskId
  }

  /** A signed link to the PDF that is there, good for at most 7 days. */
  async link(document: ProjectDocument): Promise<string | undefined> {
    const { pdfTaskId } = document
    if (pdfTaskId === undefined) return undefined
    const file = await orGone(this.#errand.artifact(pdfTaskId, pdfName(document)))
    return file && this.#errand.link(pdfTaskId, file.file, '7d')
  }

  /**
   * The link once the PDF is made, or undefined when that takes longer than `ms`.
   * @throws ErrandError JOB_FAILED, JOB_CANCELLED
   */
  async linkWithin(taskId: string, ms: number): Promise<string | undefined> {
    try {
      const { file } = await this.#errand.result(documentPdf, taskId, { wait: ms })
      return this.#errand.link(taskId, file, '7d')
    } catch (error) {
      if (hasCode(error, 'RESULT_NOT_READY')) return undefined
      throw error
    }
  }

  /** How its PDF stands, and the task that made it so for whom that is there. */
  async standing(document: ProjectDocument, tenant: string) {
    const task = document.taskId && (await orGone(this.#errand.job(document.taskId)))
    if (!task) return { status: 'none' }
    const status = await this.#status(document, task)
    return { status, ...((task.tenant ?? '') === tenant && { task_id: task.id }) }
  }

  async #status(document: ProjectDocument, { state }: JobView) {
    if (state === 'failed' || state === 'cancelled') return 'failed'
    if (state !== 'completed') return 'generating'
    return (await this.link(document)) ? 'ready' : 'none'
  }
}
