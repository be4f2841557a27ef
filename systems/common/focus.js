/** What has the focus, and what stands around it. */
let held = []

for (const type of ['focusin', 'keydown', 'click']) addEventListener(type, remember, true)
new MutationObserver(look).observe(document, {
  subtree: true,
  childList: true,
  attributeFilter: ['hidden', 'disabled'],
})

function remember() {
  held = []
  for (let at = document.activeElement; at && at !== document.body; at = at.parentElement)
    held.push(at)
}

/** Where the focus is lost with what had it, or as that was moved, the nearest that still stands takes it. */
function look() {
  const [lost, ...around] = held
  if (!lost || ![lost, document.body].includes(document.activeElement)) return
  if (stands(lost) && !lost.disabled) return lost.focus({ preventScroll: true })
  const place = around.find((one) => stands(one) && one.matches('li, tr, form, section, main'))
  if (!place) return
  place.tabIndex = -1
  place.focus({ preventScroll: true })
}

const stands = (element) => element.isConnected && element.checkVisibility()

/** Does what was pressed, once however often it is. Meanwhile a button is off, but not disabled: that costs the focus. */
export async function once(place, work) {
  const buttons = place.matches('button') ? [place] : [...place.querySelectorAll('button')]
  if (buttons.some(({ ariaDisabled }) => ariaDisabled === 'true')) return undefined
  for (const button of buttons) button.ariaDisabled = 'true'
  try {
    return await work()
  } finally {
    for (const button of buttons) button.ariaDisabled = null
  }
}
