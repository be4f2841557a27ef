import { call } from './call.js'
import { once } from './focus.js'

const POLL_MS = 1000
const AGAIN_MS = 2000
const SENT = 'reports.sent'
const WORDS = {
  sending: ['busy', 'Sending'],
  completed: ['good', 'Sent'],
  partial: ['warn', 'Sent in part'],
  failed: ['bad', 'Not sent'],
  cancelled: ['', 'Stopped'],
}

const report = document.querySelector('#report')
const send = document.querySelector('#send')
const make = document.querySelector('#make')
let timer
let again
let lastSend = kept()

report.addEventListener('change', () => void preview())
report.addEventListener('submit', (event) => {
  event.preventDefault()
  void once(report, makeReport)
})
send.addEventListener('submit', (event) => {
  event.preventDefault()
  void once(send, sendMessages)
})
window.addEventListener('hashchange', tryIt)
void preview()
void followSend()
tryIt()

/** The page asks by itself where its address ends in #try: once, not again with each reload. */
function tryIt() {
  if (location.hash !== '#try') return
  history.replaceState(undefined, '', location.pathname)
  void window.Reports.request({ days: 7 })
}

function wanted() {
  const { days, origin } = Object.fromEntries(new FormData(report))
  return { days: Number(days), origin }
}

async function makeReport() {
  make.textContent = 'Asking …'
  await window.Reports.request(wanted())
  make.textContent = 'Make the report'
  await preview()
}

/** Says what the report would hold, and offers the button only if there is something to make. */
async function preview() {
  const asked = wanted()
  const { body } = await ask(`messages?${new URLSearchParams(asked)}`)
  if (!body || JSON.stringify(asked) !== JSON.stringify(wanted())) return
  const { count, max, from, to, zone, reason, made_up: isMadeUp } = body
  document.querySelector('#nobody').hidden = !isMadeUp
  const day = (moment) =>
    new Date(moment).toLocaleDateString(undefined, {
      day: 'numeric',
      month: 'long',
      timeZone: zone,
    })
  const span = `from ${day(from)} to ${day(Date.parse(to) - 1)} (${zone})`
  const texts = {
    no_data: `There are no messages ${span}. Those of today are in tomorrow’s report.`,
    too_large: `${count.toLocaleString()} messages ${span} are more than the ${max.toLocaleString()} that fit a report.`,
  }
  document.querySelector('#preview').textContent =
    texts[reason] ??
    `${count.toLocaleString()} messages ${span}. Those of today are in tomorrow’s report.`
  make.disabled = reason !== undefined
}

async function sendMessages() {
  const { template, recipients } = Object.fromEntries(new FormData(send))
  const lines = recipients.split('\n').map((line, i) => ({ number: line.trim(), at: i + 1 }))
  const given = lines.filter(({ number }) => number !== '')
  const { status, body } = await ask('sends', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ template, recipients: given.map(({ number }) => number) }),
  })
  const isSent = status === 202 && body !== undefined
  const unsent = document.querySelector('#unsent')
  unsent.hidden = isSent
  unsent.textContent = toProblem(status, body, given)
  if (!isSent) return
  lastSend = body.id
  keep(lastSend)
  showSend(body)
  void followSend()
}

const toProblem = (status, body, given) => {
  if (status === undefined || status >= 500 || !body)
    return 'It is not known whether these messages were sent. Send them again: none is sent twice.'
  if (given.length === 0) return 'Write a phone number on each line.'
  const [, place] = /^\/recipients\/(\d+)$/.exec(body?.errors?.[0]?.pointer) ?? []
  if (place !== undefined) return `Line ${given[place].at} is no phone number such as +15550100001.`
  return `These messages could not be sent: ${body.errors?.[0]?.detail ?? body.detail}`
}

async function followSend() {
  clearTimeout(timer)
  if (!lastSend) return
  const { status, body } = await ask(`sends/${lastSend}`)
  if (status === 404) return keep((lastSend = ''))
  if (body?.total !== undefined) showSend(body)
  if (status !== 200 || body?.status === 'sending') timer = setTimeout(followSend, POLL_MS)
}

/** Also after a reload, where the browser keeps anything. */
function keep(id) {
  try {
    localStorage.setItem(SENT, id)
  } catch {
    // It is known until the page goes.
  }
}

function kept() {
  try {
    return localStorage.getItem(SENT)
  } catch {
    return undefined
  }
}

function showSend({ status, total, done, failed }) {
  const [tone, word] = WORDS[status] ?? ['', status]
  const sent = document.querySelector('#sent')
  sent.hidden = false
  const state = sent.querySelector('.state')
  state.className = `state ${tone}`
  state.textContent = word
  sent.querySelector('.counts').textContent =
    `${done} of ${total} sent${failed ? `, ${failed} refused` : ''}`
  const bar = sent.querySelector('progress')
  bar.max = total
  bar.value = done + failed
}

/** The status and the JSON, or nothing without an answer. */
async function ask(path, options) {
  const answer = await call(`/reports/${path}`, options)
  const isHere = answer.status !== undefined && answer.status < 500
  document.querySelector('#trouble').hidden = isHere
  clearTimeout(again)
  if (!isHere) again = setTimeout(preview, AGAIN_MS)
  return answer
}
