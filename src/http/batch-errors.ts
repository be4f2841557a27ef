import type { BatchView } from '../job/batch.ts'
import type { Watch } from '../watch/watch.ts'
import { csvLine } from './csv.ts'

/** What failed, by place; over with the last of those that the batch counts. */
export async function* errorLines(
  watch: Pick<Watch, 'items'>,
  { id, failed }: BatchView,
): AsyncGenerator<Uint8Array> {
  const encode = (text: string) => new TextEncoder().encode(text)
  yield encode(csvLine(['index', 'id', 'reason', 'error', 'message']))
  let left = failed
  let from: number | undefined = 0
  while (left > 0 && from !== undefined) {
    const page: Awaited<ReturnType<Watch['items']>> = await watch.items(id, {
      state: 'failed',
      from,
      limit: 1000,
    })
    const lines = page.items.map(({ index = 0, id: item, reason = '', error }) =>
      csvLine([index, item, reason, error?.name ?? '', error?.message ?? '']),
    )
    if (lines.length > 0) yield encode(lines.join(''))
    left -= lines.length
    from = page.next
  }
}
