import type { Store } from '../../src/store/contract.ts'
import { callOn, divert } from './rotation.ts'

/** A store that knows how many listen to it. */
export function ears(store: Store): { store: Store; count: () => number } {
  let open = 0
  const listen: Store['listen'] = (topic, ring) => {
    const ear = store.listen(topic, ring)
    open++
    return {
      [Symbol.dispose]: () => {
        ear[Symbol.dispose]()
        open--
      },
    }
  }
  const heard = divert(store, (name, args) =>
    name === 'listen' ? Reflect.apply(listen, store, args) : callOn(store, name, args),
  )
  return { store: heard, count: () => open }
}
