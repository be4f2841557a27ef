import { SealedFiles } from '../files/sealed.ts'
import { hasCode } from '../job/errors.ts'
import { encodeFailure } from '../job/failure.ts'
import type { Handler } from '../job/define.ts'
import type { Report } from '../job/outcome.ts'
import { referencesOf } from '../job/reference.ts'
import { isSealed } from '../job/seal.ts'
import { needKeys, sealNote, sealReport, unsealTask } from '../job/sealing.ts'
import type { Tools } from './context.ts'
import type { Task } from './crew.ts'

/** A job whose data rests sealed, opened for its handler; what that says is sealed before it leaves the process. */
export type Opened = { task: Task; tools: Tools; close: (report: Report) => Report }

/** Whether it was sealed when it came in; the input of a hook is ours, and says nothing. */
export const isPrivate = ({ definition }: Handler, { input, subject }: Task): boolean =>
  isSealed(input) || (subject !== undefined && definition.policy.data === 'sealed')

/** The job opened; or, where it cannot be, what becomes of it. */
export function openTask(task: Task, tools: Tools): Opened | Report {
  const { keys } = tools
  try {
    const ring = needKeys(keys)
    return {
      task: unsealTask(task, keys),
      tools: {
        ...tools,
        isSealed: true,
        files: new SealedFiles(tools.files, task, ring),
        note: (note) => tools.note(sealNote(note, task, keys)),
      },
      close: (report) => sealReport(report, task, keys),
    }
  } catch (error) {
    // Another worker may have the key: it is set aside until one comes that knows its name.
    if (!hasCode(error, 'SEAL_BROKEN')) return { how: 'unknown' }
    const told = encodeFailure('ErrandError', error.message)
    return { how: 'failed', reason: 'invalid_input', error: told, retry: false }
  }
}

/** What an attempt is given that is not sealed: of data that rests by reference little of what it says is kept. */
export function toolsFor({ definition: { policy } }: Handler, tools: Tools): Tools {
  return policy.data === 'reference' ? { ...tools, references: referencesOf(policy) } : tools
}
