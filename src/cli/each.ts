import type { Print } from './print.ts'

export type Done = { id: string; did: string }

/** Acts on each id in turn. A refusal stops no other; the first is thrown at the end. */
export async function each(
  ids: readonly string[],
  print: Print,
  act: (id: string) => Promise<string>,
): Promise<void> {
  const done: Done[] = []
  const refusals: unknown[] = []
  for (const id of ids.map((given) => given.toLowerCase()))
    await act(id).then(
      (did) => done.push({ id, did }),
      (error: unknown) => refusals.push(error),
    )
  print.show(done, () => done.map(({ id, did }) => `${id} ${did}`).join('\n'))
  for (const refusal of refusals.slice(1))
    print.note(refusal instanceof Error ? `errand: ${refusal.message}` : '')
  if (refusals.length > 0) throw refusals[0]
}
