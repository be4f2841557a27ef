/** Some browsers are told to keep nothing: then ticks last as long as the page. */
const storage = (() => {
  try {
    return localStorage
  } catch {
    return undefined
  }
})()

const keyOf = (id) => `guidelines ticks ${id}`

/** The places in its checklist that were ticked. No word of a guideline stays in a browser. */
export const ticksOf = (id) => JSON.parse(storage?.getItem(keyOf(id)) ?? '[]')

export function keepTicks(id, boxes) {
  const ticked = boxes.flatMap(({ checked }, i) => (checked ? i : []))
  storage?.setItem(keyOf(id), JSON.stringify(ticked))
}

export const forgetTicks = (id) => storage?.removeItem(keyOf(id))
