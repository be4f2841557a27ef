import type { Store } from '../../src/store/contract.ts'

type Method = (...args: unknown[]) => unknown

/** One store whose successive calls arrive over different connections. */
export function rotate(first: Store, ...others: Store[]): Store {
  const stores = [first, ...others]
  let turn = 0
  const close = async () => {
    for (const store of stores) await store[Symbol.asyncDispose]()
  }
  return divert(first, (name, args) =>
    name === Symbol.asyncDispose
      ? close()
      : callOn(stores[turn++ % stores.length] ?? first, name, args),
  )
}

/** A store whose every method call is answered by `answer`; plain properties stay the store's own. */
export function divert(
  store: Store,
  answer: (name: string | symbol, args: unknown[]) => unknown,
): Store {
  return new Proxy(store, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (...args: unknown[]) => answer(name, args) : member
    },
  })
}

/** Calls a method by its name. */
export function callOn(store: Store, name: string | symbol, args: unknown[]): unknown {
  const method: unknown = Reflect.get(store, name, store)
  if (!isMethod(method)) throw new TypeError(`a store has no method ${String(name)}`)
  return Reflect.apply(method, store, args)
}

const isMethod = (member: unknown): member is Method => typeof member === 'function'
