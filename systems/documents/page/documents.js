import { ask } from './ask.js'

const POLL_MS = 1000
const HIDDEN_POLL_MS = 15_000
const MINE = 'documents.tasks'
const ENDED = ['SUCCESS', 'FAILURE', 'REVOKED']

const WORDS = {
  PENDING: 'Waiting to start',
  STARTED: 'Making the PDF',
  RETRY: 'Did not work yet, trying again soon',
  SUCCESS: 'Ready',
  FAILURE: 'This PDF could not be made',
  REVOKED: 'Cancelled',
}

/** Document id → task id of what was asked for, here or by somebody else. Our own survive a reload. */
const mine = readMine()
/** Document id → its row. */
const rows = new Map()
/** Document ids whose task is looked at. */
const open = new Set(Object.keys(mine))
let timer

/** Shows every document, and what becomes of the PDFs that were asked for. */
export function showDocuments() {
  document.addEventListener('visibilitychange', () => void follow())
  return follow()
}

/** What somebody sees who is here for the first time: one PDF being made. */
export async function tryOne(id) {
  await follow()
  const row = rows.get(id)
  row?.scrollIntoView({ block: 'center' })
  if (row && !open.has(id)) await make(id)
}

/** Looks at every open task, then again after a while, less often while nobody sees the page. */
async function follow() {
  clearTimeout(timer)
  if (rows.size === 0) await load()
  await Promise.all([...open].map(look))
  clearTimeout(timer)
  if (open.size === 0 && rows.size > 0) return
  timer = setTimeout(follow, document.hidden ? HIDDEN_POLL_MS : POLL_MS)
}

async function load() {
  const list = await ask('list')
  if (list) document.querySelector('#documents').replaceChildren(...list.data.map(toRow))
}

async function look(id) {
  const task = await ask(`tasks/${mine[id]}`)
  if (!task || !rows.has(id)) return
  if (task.gone || ENDED.includes(task.status)) open.delete(id)
  if (task.gone) remember(id, undefined)
  else show(rows.get(id), task)
}

function toRow({ id, title, project, team, updatedAt, status, task_id: taskId }) {
  const row = document.querySelector('#row').content.cloneNode(true).firstElementChild
  const part = (selector) => row.querySelector(selector)
  part('.title').textContent = title
  part('.project').textContent = project
  part('.team').textContent = team
  part('.changed').textContent = updatedAt
  const [button, stop, link] = ['.make', '.stop', 'a'].map(part)
  part('.name').id = `document-${id}`
  for (const act of [button, stop, link]) act.setAttribute('aria-describedby', `document-${id}`)
  button.addEventListener('click', () => make(`${id}`))
  stop.addEventListener('click', () => cancel(`${id}`))
  rows.set(`${id}`, row)
  if (status === 'ready') showLink(row, `/documents/${id}/pdf`)
  // One that is made for somebody else is not ours to follow.
  if (taskId && (status === 'generating' || status === 'failed')) {
    mine[id] = taskId
    open.add(`${id}`)
  }
  return row
}

async function make(id) {
  show(rows.get(id), { status: 'PENDING' })
  const started = await ask(`${id}/pdf`, { method: 'POST' })
  if (!started?.task_id) return show(rows.get(id), { status: 'FAILURE' })
  remember(id, started.task_id)
  open.add(id)
  void follow()
}

async function cancel(id) {
  await ask(`tasks/${mine[id]}/cancel`, { method: 'POST' })
  void follow()
}

function show(row, { status, result, progress, error }) {
  const busy = !ENDED.includes(status)
  const [button, stop, link, bar] = ['.make', '.stop', 'a', 'progress'].map((name) =>
    row.querySelector(name),
  )
  const isFocused = row.contains(document.activeElement)
  row.classList.toggle('failed', status === 'FAILURE')
  row.querySelector('.status').textContent = error
    ? `${WORDS[status]}: ${error.message}`
    : WORDS[status]
  bar.hidden = status !== 'STARTED'
  bar.value = progress?.done ?? 0
  link.hidden = true
  button.disabled = busy
  button.hidden = busy
  stop.hidden = !busy
  button.textContent = busy || status === 'SUCCESS' ? 'Make PDF' : 'Try again'
  if (result) showLink(row, result.url)
  // Whoever pressed what is hidden now goes on from what took its place.
  if (isFocused) [link, stop, button].find((act) => !act.hidden)?.focus()
}

function showLink(row, url) {
  const link = row.querySelector('a')
  link.href = url
  link.hidden = false
  row.querySelector('.status').textContent = WORDS.SUCCESS
  row.querySelector('.make').textContent = 'Make again'
}

function remember(id, taskId) {
  mine[id] = taskId
  localStorage.setItem(MINE, JSON.stringify(mine))
}

function readMine() {
  try {
    return JSON.parse(localStorage.getItem(MINE)) ?? {}
  } catch {
    return {}
  }
}
