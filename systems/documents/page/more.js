const STEP = 20
const MAX = 200
/** Part of the page → how many it shows. */
const sizes = new Map()

const sizeOf = (section) => sizes.get(section) ?? STEP

export const limitOf = (section) => `limit=${sizeOf(section)}`

/** Has each part of the page show more where somebody asks for it. */
export function showMore(sections, again) {
  for (const section of sections)
    section.querySelector('.more')?.addEventListener('click', () => {
      sizes.set(section, sizeOf(section) + STEP)
      again(section)
    })
}

/** Offers what is older, as long as there is any that the server tells of. */
export function offerMore(section, isMore) {
  const isFull = sizeOf(section) >= MAX
  section.querySelector('.more').hidden = !isMore || isFull
  section.querySelector('.older').hidden = !isMore || !isFull
}
