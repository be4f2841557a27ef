import { ask } from './ask.js'

/** Says of each schedule when it comes next, where the page speaks of it. */
export async function showSchedules() {
  const { data = [] } = (await ask('schedules')) ?? {}
  for (const { name, next_at: at, paused } of data) {
    const place = document.querySelector(`[data-schedule="${name}"]`)
    if (!place || !at) continue
    const when = new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
    place.textContent = paused ? ' It is paused.' : ` Next: ${when} by your clock.`
  }
}
