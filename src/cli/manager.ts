import type { Ready } from './family.ts'
import type { Log } from './log.ts'
import { Kin, type KinName } from './kin.ts'

const CHILDREN = ['serve', 'worker'] as const satisfies readonly KinName[]

/** Usage, disk, configuration: a child that ends so before it was ready would end so again. */
export const HOPELESS: readonly number[] = [2, 74, 78]

export type Management = {
  signal: AbortSignal
  log: Log
  graceMs: number
  /** What the flags said, as the children's environment. */
  environment: Readonly<Record<string, string | undefined>>
  /** Ends a dead worker in the store, so that nobody waits for its lease to run out. */
  retire(worker: string): Promise<void>
  onReady(ready: Ready): void
}

/** Keeps a server and a worker alive until told to stop; the exit code is 0 after a clean stop. */
export async function manage(management: Management): Promise<number> {
  const giveUp = new AbortController()
  const signal = AbortSignal.any([management.signal, giveUp.signal])
  let welcome = (ready: Ready) => {
    welcome = () => {}
    management.onReady(ready)
  }
  const kin: Kin[] = CHILDREN.map(
    (name) =>
      new Kin(name, {
        ...management,
        signal,
        onReady: (ready) => welcome(ready),
        onHealth: () => {
          const troubles = kin.filter(({ isSick }) => isSick).map((one) => one.name)
          for (const one of kin) one.tell({ troubles })
        },
      }),
  )
  const codes = await Promise.all(
    kin.map(async (one) => {
      const code = await one.keep()
      giveUp.abort()
      return code
    }),
  )
  return (
    codes.find((code) => HOPELESS.includes(code)) ?? (codes.every((code) => code === 0) ? 0 : 1)
  )
}
