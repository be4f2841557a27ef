import { open } from '../../src/open.ts'
import app from '../system/chores.app.ts'
import { childrenOf, type Command, Installation, until } from './command.ts'

/** Short spans, so that what takes seconds in life takes less here. */
const QUICK = {
  ERRAND_LEASE: '1500ms',
  ERRAND_RENEW: '300ms',
  ERRAND_SWEEP: '200ms',
  ERRAND_GRACE: '3s',
}

/** An installation with short spans, and its store as a caller sees it: a file of its own, unless one is given. */
export async function workplace(
  env: Record<string, string> = {},
  store?: string,
  sealKeys?: string,
) {
  const chores = `${import.meta.dirname}/../system/chores.app.ts`
  const here = new Installation({ ERRAND_APP: chores, ...QUICK, ...env })
  const errand = await open(store ?? `sqlite:${here.folder}/errand.db`, {
    jobs: app.jobs,
    ...(sealKeys !== undefined && { sealKeys }),
  })
  /** What a job says of itself once it runs: its process, and one that it started. */
  const pidsOf = (id: string, attempt = 1) =>
    until(async () => {
      const { progress } = await errand.job(id)
      return progress?.status === `attempt ${attempt}` ? progress : undefined
    }, 'nobody runs it')
  return {
    here,
    errand,
    pidsOf,
    /** The process that runs a job, as the job itself says. */
    runner: async (id: string, attempt = 1) => (await pidsOf(id, attempt)).done ?? 0,
    async [Symbol.asyncDispose]() {
      await errand[Symbol.asyncDispose]()
      await here[Symbol.asyncDispose]()
    },
  }
}

/** The child of this name that a manager has just now. */
export const childOf = (manager: Command, title: string): Promise<number> =>
  until(
    () => childrenOf(manager.pid).find((child) => child.title === title)?.pid,
    `there is no ${title}`,
  )
