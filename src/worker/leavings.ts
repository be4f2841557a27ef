import { failpoint } from '../base/failpoint.ts'
import type { Millis } from '../base/time.ts'
import type { Files } from '../files/contract.ts'
import { type FollowOptions, prepareFollower } from '../job/child.ts'
import type { ArtifactOptions, Content } from '../job/context.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import type { JobId, NewJob } from '../job/job.ts'
import { FILES_KEPT_MAX_MS } from '../job/keep.ts'
import { readSpan, readText } from '../job/options.ts'
import type { NewArtifact } from '../job/outcome.ts'
import type { Keyring } from '../job/seal.ts'
import type { Task } from './crew.ts'

const MORE_MAX = 100
const ARTIFACT_BYTES_MAX = 1_073_741_824

/** What one attempt leaves behind when it completes: files, and jobs to follow it. */
export class Leavings {
  readonly #task: Task
  readonly #files: Files
  readonly #keys: Keyring | undefined
  readonly #keepFilesMs: Millis
  readonly #artifacts = new Map<string, NewArtifact>()
  readonly #more: NewJob[] = []

  constructor(
    task: Task,
    {
      files,
      keys,
      keepFilesMs = FILES_KEPT_MAX_MS,
    }: { files: Files; keys?: Keyring | undefined; keepFilesMs?: Millis | undefined },
  ) {
    this.#keepFilesMs = keepFilesMs
    this.#task = task
    this.#files = files
    this.#keys = keys
  }

  /** The files written so far, the last of each name. */
  get artifacts(): readonly NewArtifact[] {
    return [...this.#artifacts.values()]
  }

  get more(): readonly NewJob[] | undefined {
    return this.#more.length > 0 ? this.#more : undefined
  }

  async write(
    file: string,
    content: Content,
    { type = 'application/octet-stream', keep = this.#keepFilesMs }: ArtifactOptions = {},
  ): Promise<void> {
    const { id, fence } = this.#task
    const told = {
      file,
      type: readText('type', type),
      keepMs: readSpan('keep', keep, { max: FILES_KEPT_MAX_MS }),
    }
    const place = { id, fence, file }
    const written = await this.#files.write(place, toStream(content), ARTIFACT_BYTES_MAX)
    failpoint('artifact.written')
    this.#artifacts.set(file, { ...told, ...written })
  }

  async enqueue(
    name: string,
    definition: Definition,
    input: unknown,
    options?: FollowOptions,
  ): Promise<{ id: JobId }> {
    const { id, tenant } = this.#task
    const job = await prepareFollower({ id, name, tenant }, definition, input, options, this.#keys)
    const problem = `is one more than the ${MORE_MAX} of a run`
    if (this.#more.length >= MORE_MAX)
      throw new ErrandError('STEP_REFUSED', { step: `enqueue:${name}`, problem })
    this.#more.push(job)
    return { id: job.id }
  }
}

async function* toStream(content: Content): AsyncIterable<Uint8Array> {
  if (typeof content === 'string') yield Buffer.from(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}
