import { ask, copyOf, post } from './ask.js'
import { limitOf, offerMore } from './more.js'
import { nameOf } from './names.js'
import { showResult } from './results.js'

const POLL_MS = 1000
const HIDDEN_POLL_MS = 15_000
const ENDED = ['SUCCESS', 'FAILURE', 'REVOKED']
const WORDS = {
  PENDING: ['Waiting', ''],
  STARTED: ['Working', 'busy'],
  RETRY: ['Trying again soon', 'warn'],
  SUCCESS: ['Done', 'good'],
  FAILURE: ['Failed', 'bad'],
  REVOKED: ['Cancelled', ''],
  WAITING: ['Not yet', ''],
}
const CHAINS = ['file', 'picture', 'report']

/** Task id → its entry on the page, and what it said when it was drawn. */
const entries = new Map()
let timer
let shown
/** Of several looks at once the latest counts: an earlier one may not know yet what was just asked for. */
let looks = 0

document.addEventListener('visibilitychange', () => void follow())

/** Follows what was asked for in this part of the page, from here or from anywhere. */
export function showTasks(section = shown) {
  shown = section
  return follow()
}

async function follow() {
  clearTimeout(timer)
  const look = ++looks
  const kinds = shown?.dataset.kinds
  if (kinds === undefined) return
  const list = await ask(`tasks?kind=${kinds}&${limitOf(shown)}`)
  const items = list?.data && (await Promise.all(list.data.map(entryOf)))
  if (look !== looks) return
  if (items) draw(items, list.more)
  const isOver = list?.data?.every(({ status }) => ENDED.includes(status))
  if (!isOver) timer = setTimeout(follow, document.hidden ? HIDDEN_POLL_MS : POLL_MS)
}

function draw(items, isMore) {
  const place = shown.querySelector('.tasks')
  shown.querySelector('.empty').hidden = items.length > 0
  putIn(place, items)
  offerMore(shown, isMore)
}

/** Moves nothing that stands where it should: whoever is about to press a button still finds it. */
export function putIn(place, items) {
  for (const [i, item] of items.entries())
    if (place.children[i] !== item) place.insertBefore(item, place.children[i] ?? null)
  while (place.children.length > items.length) place.lastElementChild.remove()
}

/** The same element for the same task, drawn anew only when something has changed. */
async function entryOf(task) {
  const known = entries.get(task.task_id)
  const steps = await stepsOf(task, known?.steps)
  const said = JSON.stringify([task.status, task.progress, steps, nameOf(task)])
  if (known?.said === said) return known.item
  const item = known?.item ?? newItem(task)
  fill(item, task, steps)
  entries.set(task.task_id, { item, said, ...(ENDED.includes(task.status) && { steps }) })
  return item
}

async function stepsOf({ kind, task_id: id }, known) {
  if (!CHAINS.includes(kind) || known) return known ?? []
  return (await ask(`tasks/${id}/steps`))?.data ?? []
}

function newItem({ task_id: id, created_at: at }) {
  const item = copyOf('#task')
  item.querySelector('time').dateTime = at
  item.querySelector('time').textContent = new Date(at).toLocaleString()
  item.querySelector('.stop').addEventListener('click', () => act(id, 'cancel'))
  item.querySelector('.again').addEventListener('click', () => act(id, 'retry'))
  return item
}

async function act(id, what) {
  await post(`tasks/${id}/${what}`)
  return follow()
}

function fill(item, task, steps) {
  const { status, progress, with_errors: withErrors, error } = task
  const part = (selector) => item.querySelector(selector)
  const [word, look] = withErrors ? ['Done, with errors', 'warn'] : WORDS[status]
  part('.what').textContent = nameOf(task)
  setState(part('.state'), word, look)
  const isOver = ENDED.includes(status)
  part('.stop').hidden = isOver
  part('.again').hidden = !['FAILURE', 'REVOKED'].includes(status)
  part('progress').hidden = isOver || !progress?.total
  if (progress?.total)
    Object.assign(part('progress'), { max: progress.total, value: progress.done })
  part('.problem').textContent = error?.message ?? ''
  part('.steps').replaceChildren(...steps.map(toStep))
  void showResult(part('.result'), task)
}

function toStep({ name, status }) {
  const step = document.createElement('li')
  const [word, look] = WORDS[status]
  step.className = look
  step.textContent = name
  step.title = word
  step.setAttribute('aria-label', `${name}: ${word}`)
  return step
}

export function setState(element, word, look) {
  element.textContent = word
  element.className = `state ${look}`
}
