import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { settings } from '../settings.ts'

export const FILE_TYPES = ['pdf', 'png', 'csv', 'text'] as const
const FileId = z.object({ fileId: z.uuid() })
const Valid = FileId.extend({ type: z.enum(FILE_TYPES) })
/** What was found in a file: a checksum, and what its type has to tell. */
const Facts = z.object({
  type: z.enum(FILE_TYPES),
  bytes: z.int(),
  sha256: z.string(),
  lines: z.int().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
})
export type Facts = z.infer<typeof Facts>

const backoff = exponential(settings.retry)

/** Is the file what its name says? What is not goes no further. */
export const validateFile = defineJob({
  name: 'documents.file-validate',
  input: FileId,
  output: Valid,
  backoff,
})

export const processFile = defineJob({
  name: 'documents.file-process',
  input: Valid,
  output: Facts,
  backoff,
})

/** Writes to whoever wanted to know, with what processing has found. */
export const notifyFile = defineJob({
  name: 'documents.file-notify',
  input: FileId.extend({ facts: Facts }),
  output: z.object({ mailId: z.string() }),
  backoff,
})

/** Says that a file is needed no more by the task it was sent for, however that ended. */
export const fileEnded = defineJob({
  name: 'documents.file-ended',
  input: z.object({ fence: z.int(), input: FileId }),
  priority: 'high',
  attempts: 100,
  backoff: exponential('1s', { max: '1m' }),
})

/** What tasks that are about a file have in common. */
export const aboutFile = {
  keep: { record: '7d', failed: '30d' },
  onSuccess: fileEnded,
  onFailure: fileEnded,
} as const

/** The chain: each is a job of its own, tried by its own policy, on what the one before came to. */
export const fileChain = defineJob({
  name: 'documents.file',
  input: FileId,
  output: z.object({ facts: Facts, mailId: z.string() }),
  backoff,
  ...aboutFile,
})

/** Under this tag the jobs of one chain are found. */
export const fileTag = (id: string) => `documents.chain:${id}`

/** Removes uploads that were kept long enough, every night. */
export const cleanUp = defineJob({
  name: 'documents.clean-up',
  input: z.object({ olderThanMs: z.int().min(0) }),
  output: z.object({ removed: z.int() }),
  backoff,
})
