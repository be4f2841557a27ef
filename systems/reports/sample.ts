import { dayOf } from './file-name.ts'
import type { Message, Messages } from './messages.ts'

const TEMPLATES = ['appointment reminder', 'renewal due', 'office closed', 'results ready'] as const
const DAYS = 8
const DAY_MS = 86_400_000

/** Messages of the last days for a service that has none, so that there is something to report at the first look. */
export async function fillSample(messages: Messages, service: string, rows: number): Promise<void> {
  if (rows === 0 || (await messages.services('')).includes(service)) return
  for (let day = DAYS; day >= 0; day--) {
    const fromMs = Date.parse(dayOf(Date.now() - day * DAY_MS))
    const toMs = day === 0 ? Date.now() : fromMs + DAY_MS - 1
    const about = { fromMs, toMs, origin: 'batch', id: `sample-${dayOf(fromMs)}` } as const
    await messages.add(service, about, made(about, rows))
  }
}

/** The same at every call. Numbers are of the range kept for fiction, +1 555 01xx. */
function* made({ fromMs, toMs }: { fromMs: number; toMs: number }, rows: number) {
  for (let row = 0; row < rows; row++) {
    const chance = (row * 7919) % 100
    const message: Message = {
      at: new Date(fromMs + Math.floor(((toMs - fromMs) * row) / rows)).toISOString(),
      to: `+155501${String(row % 100_000).padStart(5, '0')}`,
      template: TEMPLATES[row % TEMPLATES.length] ?? '',
      status: chance < 4 ? 'failed' : 'delivered',
    }
    yield message
  }
}
