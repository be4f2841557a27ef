import { ask, post, refusalOf } from './api.js'
import { once } from './focus.js'
import { readLetters, saidOf } from './letters.js'
import { forgetTicks, keepTicks, ticksOf } from './ticks.js'

const POLL_MS = 1000
const IDLE_POLL_MS = 10_000

const SAMPLE = `Hand hygiene in the wards

Hand washing prevents most infections that patients catch in hospital. All staff must clean their hands before and after every contact with a patient. Alcohol rub should be used unless hands are visibly dirty. Gloves never replace hand washing. Rings and watches must be taken off before a shift begins. Dispensers should be checked every morning, and empty ones must be refilled within the hour. Ward managers should review the audit results every month.`

const ERASE = 'Erase this guideline and all that was made of it? It cannot be brought back.'

const STATES = {
  PENDING: ['Waiting', ''],
  PROCESSING: ['In progress', 'busy'],
  COMPLETED: ['Ready', 'good'],
  FAILED: ['Failed', 'bad'],
  CANCELLED: ['Cancelled', ''],
}
const STEPS = ['summarise', 'checklist']

const part = (selector) => document.querySelector(selector)
/** Event id → its card, and what was last shown in it. */
const cards = new Map()
let timer
/** How long a text may be, once the server has said it. */
let textMax

part('#submit').addEventListener('submit', (event) => {
  event.preventDefault()
  void once(part('#submit'), submit)
})
part('#text').addEventListener('input', count)
part('#sample').addEventListener('click', useSample)
part('#retry-all').addEventListener('click', async ({ currentTarget: button }) => {
  await once(button, () => post('review/retry'))
  void follow()
})
document.addEventListener('visibilitychange', () => void follow())
addEventListener('hashchange', tryIt)

count()
void follow()
tryIt()

/** A link to `#try` runs the sample by itself, once for each time it is followed. */
function tryIt() {
  if (location.hash !== '#try') return
  history.replaceState(null, '', location.pathname)
  useSample()
  void once(part('#submit'), submit)
}

function useSample() {
  part('#text').value = SAMPLE
  count()
}

function count() {
  const { length } = part('#text').value.trim()
  const of = textMax === undefined ? '' : ` of ${textMax}`
  part('#size').textContent = length === 0 ? '' : `${length}${of} characters`
}

async function submit() {
  const form = part('#submit')
  const { guidelines, priority } = Object.fromEntries(new FormData(form))
  const answer = await post('jobs', { guidelines, priority })
  const problem = refusalOf(answer)
  part('#problem').textContent = problem
  part('#problem').hidden = problem === ''
  part('#text').toggleAttribute('aria-invalid', problem !== '')
  if (problem !== '' || answer.body === undefined) return
  form.reset()
  count()
  void follow()
}

/** Looks at all that is here, soon again while something goes on. */
async function follow() {
  clearTimeout(timer)
  const { body } = await ask('jobs')
  if (body) {
    textMax = body.text_max
    count()
    show(body.data)
  }
  await readLetters(follow)
  clearTimeout(timer)
  const isBusy = body?.data.some(({ status }) => status === 'PENDING' || status === 'PROCESSING')
  timer = setTimeout(follow, isBusy && !document.hidden ? POLL_MS : IDLE_POLL_MS)
}

function show(events) {
  const newest = events.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1))
  const ids = new Set(newest.map(({ event_id }) => event_id))
  for (const [id, { card }] of cards)
    if (!ids.has(id)) {
      card.remove()
      cards.delete(id)
    }
  for (const [i, event] of newest.entries()) {
    const known = cards.get(event.event_id) ?? add(event.event_id)
    const text = JSON.stringify(event)
    if (known.text !== text) fill(known.card, event)
    known.text = text
    const list = part('#events')
    if (list.children[i] !== known.card) list.insertBefore(known.card, list.children[i] ?? null)
  }
  part('#empty').hidden = newest.length > 0
}

function add(id) {
  const card = part('#event').content.cloneNode(true).firstElementChild
  const known = { card, text: '' }
  for (const [name, work] of [
    ['.again', () => post(`jobs/${id}/retry`)],
    ['.stop', () => post(`jobs/${id}/cancel`)],
    ['.erase', () => confirm(ERASE) && erase(id)],
  ]) {
    const button = card.querySelector(name)
    card.querySelector('h3').id = `event-${id}`
    button.setAttribute('aria-describedby', `event-${id}`)
    button.addEventListener('click', () => void once(button, work).then(follow))
  }
  cards.set(id, known)
  return known
}

async function erase(id) {
  const { status } = await ask(`jobs/${id}`, { method: 'DELETE' })
  if (status === 204) forgetTicks(id)
}

function fill(card, event) {
  const { event_id: id, status, error, result, created_at } = event
  const inside = (selector) => card.querySelector(selector)
  const isCancelled = error?.code === 'CANCELLED'
  const [word, tone] = STATES[isCancelled ? 'CANCELLED' : status]
  const isOver = status === 'COMPLETED' || status === 'FAILED'
  inside('h3').textContent =
    titleOf(result) ?? `Guideline of ${new Date(created_at).toLocaleTimeString()}`
  inside('.state').textContent = word
  inside('.state').className = `state ${tone}`
  inside('.word').textContent = error && !isCancelled ? saidOf(error) : detailOf(event)
  inside('.times').textContent = timesOf(event)
  inside('.again').hidden = status !== 'FAILED'
  inside('.stop').hidden = isOver
  inside('.erase').hidden = !isOver
  card.classList.toggle('failed', status === 'FAILED' && !isCancelled)
  markSteps(inside('.steps'), event)
  inside('.result').hidden = !result
  if (!result) return
  inside('.summary').textContent = result.summary
  inside('.items').replaceChildren(...result.checklist.map(toItem))
  const boxes = [...inside('.items').querySelectorAll('input')]
  const ticked = ticksOf(id)
  for (const [i, box] of boxes.entries()) {
    box.checked = ticked.includes(i)
    box.addEventListener('change', () => keepTicks(id, boxes))
  }
}

/** How many of the four have been reached. */
function markSteps(list, { status, current_step, steps_done = [] }) {
  const at = STEPS.indexOf(current_step)
  const done = { PENDING: 1, COMPLETED: 4 }[status] ?? 1 + Math.max(at, steps_done.length)
  for (const [i, step] of [...list.children].entries()) {
    const isNext = i === done
    step.className = i < done ? 'done' : ''
    if (isNext && status === 'PROCESSING') step.className = 'now'
  }
  list.hidden = status === 'FAILED'
}

function detailOf({ status, queue_position, next_retry_at, waiting_for, retry_count, sealed }) {
  if (sealed) return 'Its result is sealed under a key that the server does not have.'
  if (waiting_for) return `Waiting: ${waiting_for}. It goes on by itself.`
  if (next_retry_at)
    return `Attempt ${retry_count} did not work; the next is at ${new Date(next_retry_at).toLocaleTimeString()}.`
  if (status === 'PENDING' && queue_position > 1) return `Number ${queue_position} in line`
  return ''
}

function timesOf({ status, created_at, processing_time_seconds: took }) {
  const sent = `sent at ${new Date(created_at).toLocaleTimeString()}`
  return status === 'COMPLETED' ? `${sent}, done in ${took.toFixed(1)} s` : sent
}

const titleOf = (result) => result?.summary.split(/(?<=[.!?])\s/)[0].slice(0, 90)

function toItem(text) {
  const [item, label, box, words] = ['li', 'label', 'input', 'span'].map((name) =>
    document.createElement(name),
  )
  box.type = 'checkbox'
  words.textContent = text
  label.append(box, words)
  item.append(label)
  return item
}
