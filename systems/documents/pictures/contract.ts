import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { aboutFile } from '../files/contract.ts'
import { settings } from '../settings.ts'

export const WIDTHS = [800, 400, 160] as const

const FileId = z.object({ fileId: z.uuid() })
const Size = z.object({ width: z.int(), height: z.int() })
const Smaller = Size.extend({ taskId: z.uuid(), file: z.string(), bytes: z.int() })
const backoff = exponential(settings.retry)

/** Reads the head of a picture only: what cannot be made smaller is told before any work is done. */
export const checkPicture = defineJob({
  name: 'documents.picture-check',
  input: FileId,
  output: Size,
  backoff,
})

/** Makes a picture smaller. It burns a core, so it never shares a process, and few of them run at a time. */
export const resizePicture = defineJob({
  name: 'documents.picture-resize',
  input: FileId.extend({ width: z.int().min(1).max(4000) }),
  output: Smaller,
  backoff,
  priority: 'low',
  isolate: true,
  timeout: '2m',
  limits: [{ key: 'documents.cpu', running: settings.cpuAtOnce }],
})

/** Check, then every width, side by side where there is room. */
export const picture = defineJob({
  name: 'documents.picture',
  input: FileId,
  output: Size.extend({ sizes: z.array(Smaller) }),
  backoff,
  ...aboutFile,
})
