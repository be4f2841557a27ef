import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { reportsApp } from '../../../systems/reports/app.ts'
import { Messages } from '../../../systems/reports/messages.ts'
import type { Settings } from '../../../systems/reports/settings.ts'
import { carrierStandIn } from '../../../systems/reports/stand-in/carrier.ts'
import { windowOf } from '../../../systems/reports/window.ts'
import type { onEachStore, System } from '../stage.ts'

type Open = Parameters<Parameters<typeof onEachStore>[0]>[0]

export const TaskView = z.object({
  id: z.uuid(),
  status: z.enum(['queued', 'running', 'complete', 'failed', 'expired']),
  from: z.string(),
  to: z.string(),
  rows: z.int().optional(),
  empty: z.boolean().optional(),
  filename: z.string().optional(),
  bytes: z.int().optional(),
  url: z.string().optional(),
})
export const Mine = z.object({ data: z.array(TaskView) })
export const Send = z.object({
  id: z.uuid(),
  status: z.string(),
  total: z.int(),
  done: z.int(),
  failed: z.int(),
})
export const Download = z.object({
  status: z.string(),
  task_id: z.uuid(),
  url: z.string().optional(),
})

/** The system with a carrier in this process and an empty source, on whatever store. */
export async function setUp(open: Open, given: Partial<Settings> = {}) {
  const place = { source: '' }
  const system = await open((folder) => {
    place.source = join(folder, 'reports')
    const carrierUrl = 'http://127.0.0.1:1'
    return reportsApp({ source: place.source, sampleRows: 0, carrierUrl, ...given })
  })
  const messages = new Messages(place.source)
  return {
    ...system,
    source: place.source,
    messages,
    /** Messages of yesterday at noon, of a service. */
    seed: (recipients: readonly string[], service = 'demo', at = noon()) =>
      seed(messages, recipients, service, at),
    request: async (days: number, more: object = {}, headers: Record<string, string> = {}) =>
      TaskView.parse(await (await system.post('/reports', { days, ...more }, headers)).json()),
    task: async (id: string) => TaskView.parse(await system.json(`/reports/${id}`)),
    /** Runs a worker until these jobs have ended. */
    finish: async (...ids: string[]) => finish(system, ids),
  }
}

/** Yesterday at noon, in the middle of each report's last day. */
export const noon = (): number =>
  Date.parse(windowOf(1, { step: '1d', zone: 'UTC' }).to) - 43_200_000

export async function seed(
  messages: Messages,
  recipients: readonly string[],
  service: string,
  at: number,
) {
  const about = { fromMs: at, toMs: at, origin: 'batch', id: crypto.randomUUID() } as const
  const accepted = new Date(at).toISOString()
  const made = recipients.map((to) => ({ at: accepted, to, template: 'reminder' }))
  return messages.add(service, about, made)
}

async function finish({ errand, work }: System, ids: readonly string[]): Promise<void> {
  const worker = await work()
  await Promise.all(ids.map((id) => errand.ended(id, 20_000)))
  await worker.stop()
}

/** A carrier in this process, that forgets all with its folder. */
export async function openCarrier() {
  const folder = mkdtempSync(join(tmpdir(), 'errand-carrier-'))
  const carrier = await openStandIn(carrierStandIn(join(folder, 'taken.txt')), 0)
  return {
    url: carrier.url,
    async [Symbol.asyncDispose]() {
      await carrier[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

/** A source of messages that goes with its test. */
export function openSource() {
  const folder = mkdtempSync(join(tmpdir(), 'errand-messages-'))
  return {
    folder,
    messages: new Messages(folder),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
