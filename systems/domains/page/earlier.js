import { show } from './rows.js'

/** Batch id → its line in the list. */
const lines = new Map()

/** Lists batches. A line that is there already stays, and so does who is about to follow it. */
export function list(batches) {
  const place = document.querySelector('#earlier')
  for (const [i, batch] of batches.entries()) {
    const line = lines.get(batch.batch_id) ?? newLine(batch.batch_id)
    tell(batch)
    if (place.children[i] !== line) place.insertBefore(line, place.children[i] ?? null)
  }
  while (place.children.length > batches.length) place.lastElementChild.remove()
  document.querySelector('#none').hidden = batches.length > 0
}

/** Says how far one of them is, where it is listed. */
export function tell(batch) {
  const line = lines.get(batch.batch_id)
  if (!line) return
  show(line.querySelector('.state'), batch.status)
  const { total_domains: total, completed_domains: complete, created_at: at } = batch
  const when = new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
  line.querySelector('small').textContent = `${complete} of ${total} complete, ${when}`
}

function newLine(id) {
  const line = document.querySelector('#past').content.cloneNode(true).firstElementChild
  const link = line.querySelector('a')
  link.href = `#${encodeURIComponent(id)}`
  link.textContent = id
  lines.set(id, line)
  return line
}
