import type { Errand } from 'errand'
import { type KindName, KINDS } from './kinds.ts'
import type { Entry, Ledger } from './ledger.ts'

/** A job of the run as its system shows it when all is over. */
export type Ending = {
  id: string
  /** `completed`, `cancelled`, or `failed` and why; what has not ended says its state. */
  end: string
  /** Of the run that the system counts. */
  fence: number
  /** Runs that the system admits to. */
  runs: number
  hooks: number
}

/** What a run must hold to, and what of it was broken: numbers to be nought, with examples. */
export type Verdict = {
  acked: number
  indeterminate: number
  runs: number
  extraRuns: number
  lateEffects: number
  broken: Record<Law, string[]>
}

export const LAWS = {
  lost: 'an accepted job is nowhere',
  stuck: 'an accepted job has not ended two minutes after the run',
  wrongEnd: 'a job ended otherwise than its kind can',
  fenceTwice: 'two runs began under one fence, or a later one under a lower',
  notRun: 'a job completed although no run of that fence came to its end',
  duplicate: 'another run than the one that counts took effect last, or the one that counts twice',
  silent: 'more runs began than the system tells of',
  hook: 'an ending has no hook, or more than one',
} as const
export type Law = keyof typeof LAWS

/** What a run should look like. */
export const UNBROKEN: Verdict['broken'] = {
  lost: [],
  stuck: [],
  wrongEnd: [],
  fenceTwice: [],
  notRun: [],
  duplicate: [],
  silent: [],
  hook: [],
}

const HOOKED: readonly KindName[] = ['followed', 'doomed', 'poison', 'endless', 'unwanted']

/** Holds what the world saw against what the system says; of hooks where it has any. */
export function judge(
  ledger: Ledger,
  endings: ReadonlyMap<string, Ending>,
  hasHooks = true,
): Verdict {
  const entries = ledger.read()
  const acked = new Map<string, string>()
  const unanswered = new Set<string>()
  const lives = new Map<string, Entry[]>()
  for (const entry of entries) {
    if (entry.what === 'intent') unanswered.add(entry.key)
    else if (entry.what === 'ack') {
      unanswered.delete(entry.key)
      acked.set(entry.id, entry.kind)
    } else if ('id' in entry) {
      const life = lives.get(entry.id)
      if (life) life.push(entry)
      else lives.set(entry.id, [entry])
    }
  }
  const broken = structuredClone(UNBROKEN)
  let [runs, extraRuns, lateEffects] = [0, 0, 0]
  for (const [id, life] of lives) {
    const seen = follow(life)
    runs += seen.begun
    extraRuns += Math.max(0, seen.begun - 1)
    lateEffects += seen.late
    if (!seen.isRising) broken.fenceTwice.push(id)
    const ending = endings.get(id)
    if (ending === undefined) continue
    if (seen.begun > ending.runs) broken.silent.push(id)
    if (ending.end !== 'completed') continue
    if (seen.begun > 0 && !seen.ended.includes(ending.fence)) broken.notRun.push(id)
    const counted = seen.accepted.filter((fence) => fence === ending.fence).length
    if (seen.begun > 0 && (counted !== 1 || seen.accepted.at(-1) !== ending.fence))
      broken.duplicate.push(id)
  }
  for (const [id, kind] of acked) {
    const ending = endings.get(id)
    if (ending === undefined) {
      broken.lost.push(id)
      continue
    }
    if (!/^(completed|failed|cancelled)/.test(ending.end)) {
      broken.stuck.push(`${id} ${kind} ${ending.end}`)
      continue
    }
    if (ending.end === 'completed' && !lives.has(id)) broken.notRun.push(id)
    const known = isKind(kind) ? KINDS[kind].ends : []
    if (!known.some((end) => end === ending.end))
      broken.wrongEnd.push(`${id} ${kind} ${ending.end}`)
    const hooks = isKind(kind) && HOOKED.includes(kind) && hasHook(kind, ending.end) ? 1 : 0
    if (hasHooks && ending.hooks !== hooks)
      broken.hook.push(`${id} ${kind} ${ending.end} ${ending.hooks}`)
  }
  return {
    acked: acked.size,
    indeterminate: unanswered.size,
    runs,
    extraRuns,
    lateEffects,
    broken,
  }
}

/** What happened to one job, in order. An effect counts unless a higher fence has begun before it. */
function follow(life: readonly Entry[]) {
  const seen = {
    begun: 0,
    isRising: true,
    late: 0,
    accepted: [] as number[],
    ended: [] as number[],
  }
  let highest = 0
  for (const entry of life) {
    if (entry.what === 'begin') {
      seen.begun++
      if (entry.fence <= highest) seen.isRising = false
      highest = Math.max(highest, entry.fence)
    } else if (entry.what === 'effect') {
      if (entry.fence >= highest) seen.accepted.push(entry.fence)
      else seen.late++
    } else if (entry.what === 'end') seen.ended.push(entry.fence)
  }
  return seen
}

const isKind = (kind: string): kind is KindName => kind in KINDS
const hasHook = (kind: KindName, end: string) =>
  end === 'completed' ? kind === 'followed' || kind === 'doomed' || kind === 'unwanted' : true

/** The endings of a run on Errand. */
export async function endingsOf(errand: Errand): Promise<Map<string, Ending>> {
  const endings = new Map<string, Ending>()
  const hooks = new Map<string, number>()
  for (let cursor: string | undefined; ;) {
    const { jobs, next } = await errand.store.list({}, 200, cursor)
    const attempts = await Promise.all(jobs.map(({ id }) => errand.store.attempts(id)))
    for (const [i, job] of jobs.entries()) {
      if (job.subject !== undefined) hooks.set(job.subject, (hooks.get(job.subject) ?? 0) + 1)
      const { id, state, reason, fence } = job
      const tried = attempts[i] ?? []
      const runs = tried.length + (state === 'completed' ? 1 : 0)
      const end = reason === undefined ? state : `${state} ${reason}`
      endings.set(id, { id, end, fence, runs, hooks: 0 })
    }
    if (next === undefined) break
    cursor = next
  }
  for (const [id, count] of hooks) {
    const ending = endings.get(id)
    if (ending) ending.hooks = count
  }
  return endings
}
