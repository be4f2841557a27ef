import { ask, reasonOf } from './ask.js'
import { once } from './focus.js'
import { Item } from './item.js'
import { readRows, SAMPLE, sayIssue, sumUp } from './rows.js'

const POLL_MS = 1000
const STEP = 20
const MAX = 100

const form = document.querySelector('#new')
const list = document.querySelector('#list')
const more = document.querySelector('#more')
const newer = document.querySelector('#newer')
const items = new Map()
let size = STEP
let page = 1
let timer
let turn = 0

form.rows.value = SAMPLE
form.rows.addEventListener('input', sum)
form.querySelector('[type=file]').addEventListener('change', ({ target }) => void takeFile(target))
form.addEventListener('submit', (event) => {
  event.preventDefault()
  void once(form, handIn)
})
more.addEventListener('click', () => {
  if (size < MAX) size += STEP
  else page++
  void refresh()
})
newer.addEventListener('click', () => {
  page--
  void refresh()
})
document.addEventListener('visibilitychange', () => document.hidden || void refresh())
window.addEventListener('hashchange', tryIt)
setInterval(() => items.forEach((item) => item.tick()), 1000)
sum()
void refresh()
tryIt()

/** The page hands in its sample where its address ends in #try: once, not again with each reload. */
function tryIt() {
  if (location.hash !== '#try') return
  history.replaceState(undefined, '', location.pathname)
  void once(form, handIn)
}

async function takeFile(input) {
  form.rows.value = (await input.files[0]?.text()) ?? form.rows.value
  input.value = ''
  sum()
}

function sum() {
  document.querySelector('#sum').textContent = sumUp(readRows(form.rows.value))
}

async function handIn() {
  const { lines, payments } = readRows(form.rows.value)
  const { reference, errors, auto, within } = Object.fromEntries(new FormData(form))
  const body = JSON.stringify({
    external_reference: reference,
    auto_commit: auto !== undefined,
    on_row_errors: errors,
    ...(within && { confirm_within: Number(within) }),
    payments,
  })
  const headers = { 'content-type': 'application/json' }
  const answer = await ask('', { method: 'POST', headers, body })
  const problem = document.querySelector('#problem')
  problem.hidden = answer.isOk
  problem.textContent = answer.isOk ? '' : explain(answer, lines)
  page = 1
  await refresh()
}

function explain(answer, lines) {
  const issues = answer.body?.errors ?? []
  if (issues.length === 0) return reasonOf(answer)
  const rest = issues.length > 3 ? ` And ${issues.length - 3} more.` : ''
  return `${issues
    .slice(0, 3)
    .map((issue) => sayIssue(issue, lines))
    .join(' ')}${rest}`
}

async function refresh() {
  clearTimeout(timer)
  const mine = ++turn
  const { isOk, status, body } = await ask(`?page_size=${size}&page=${page}`)
  if (mine !== turn) return
  const trouble = document.querySelector('#trouble')
  trouble.hidden = isOk
  trouble.textContent =
    status === 503 || status === 502
      ? 'The bank’s backend does not answer just now. What you hand in is kept; this page keeps trying.'
      : 'The server does not answer just now. This page keeps trying.'
  if (isOk) show(body)
  if (!document.hidden) timer = setTimeout(refresh, POLL_MS)
}

function show({ data, total }) {
  document.querySelector('#none').hidden = total > 0
  offerOthers((page - 1) * size, data.length, total)
  const seen = new Set(data.map(({ id }) => id))
  for (const [id, { element }] of items)
    if (!seen.has(id)) {
      element.remove()
      items.delete(id)
    }
  for (const [i, view] of data.entries()) {
    const item = items.get(view.id) ?? new Item(refresh)
    items.set(view.id, item)
    if (item.show(view))
      document.querySelector('#news').textContent =
        `${view.external_reference || 'Without a name'}: ${view.label}`
    if (list.children[i] !== item.element) list.insertBefore(item.element, list.children[i] ?? null)
  }
}

/** So many are shown at once; older ones have pages of their own. */
function offerOthers(before, shown, total) {
  const older = total - before - shown
  const range = shown > 0 ? `${before + 1} to ${before + shown}` : 'None'
  document.querySelector('#range').textContent = shown === total ? '' : `${range} of ${total}`
  more.hidden = older <= 0
  more.textContent = size < MAX ? 'Show more' : `Show ${Math.min(older, MAX)} older`
  newer.hidden = page === 1
}
