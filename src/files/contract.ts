import type { Fence, JobId } from '../job/job.ts'

/** Where a file lies: under its job and the attempt that wrote it. */
export type Place = { id: JobId; fence: Fence; file: string }

/** Bytes `from` … `to`, both included. */
export type Range = { from: number; to: number }

/**
 * What Errand asks of a place for files. Bytes go straight there from executors; the store only
 * records what was written, in the settlement that completes the job.
 */
export interface Files {
  /**
   * Writes a stream whole or not at all, and answers its length and digest.
   * @throws ErrandError INVALID_FILE_NAME, ARTIFACT_TOO_LARGE, FILES_FULL
   */
  write(place: Place, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Written>
  /** The bytes, or a part of them. @throws ErrandError ARTIFACT_NOT_FOUND */
  read(place: Place, range?: Range): Promise<ReadableStream<Uint8Array>>
  /** Removes one file; nothing happens when it is gone already. */
  remove(place: Place): Promise<void>
  /** Removes what one attempt wrote, or all that any attempt of the job did. */
  removeAll(id: JobId, fence?: Fence): Promise<void>
  /** Removes what attempts before this one wrote: they were killed, or taken for dead. */
  removeBefore(id: JobId, fence: Fence): Promise<void>
  /** Jobs whose files have not changed for `ms`: an attempt that was killed leaves some behind. */
  untouched(ms: number, limit: number): Promise<JobId[]>
}

export type Written = { bytes: number; sha256: string }
