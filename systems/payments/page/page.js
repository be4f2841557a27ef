import { ask } from './api.js'

const POLL_MS = 1000
const IDLE_POLL_MS = 5000
const HIDDEN_POLL_MS = 20_000
const BUSY = ['queued_for_processing', 'processing', 'queued_for_creating', 'creating']
const TINTS = { processed: 'warn', created: 'good', failed: 'bad', cancelled: '' }

const SAMPLE = [
  'Ada Byron, DE89370400440532013000, 120.00, EUR',
  'Grace Hopper, GB29NWBK60161331926819, 80.50, GBP',
  'Alan Turing, FR1420041010050500013M02606, 310.25, EUR',
  'Wrong Digits, DE00370400440532013000, 5.00, EUR',
]

const part = (id) => document.querySelector(`#${id}`)
/** Id → its card. */
const cards = new Map()
/** Ids whose refused rows are shown. */
const told = new Set()
let timer

part('sample').addEventListener('click', fillIn)
part('form').addEventListener('submit', (event) => {
  event.preventDefault()
  void handIn()
})
document.addEventListener('visibilitychange', () => void follow())
if (location.hash === '#try') {
  history.replaceState(null, '', location.pathname)
  fillIn()
  void handIn()
} else void follow()

/** Looks at all of them, then again after a while: soon while something moves. */
async function follow() {
  clearTimeout(timer)
  const { body } = await ask('mass-payments')
  const list = body?.data ?? []
  if (body) show(list)
  clearTimeout(timer)
  const isMoving = !body || list.some(({ status }) => BUSY.includes(status))
  timer = setTimeout(follow, document.hidden ? HIDDEN_POLL_MS : isMoving ? POLL_MS : IDLE_POLL_MS)
}

function fillIn() {
  part('rows').value = SAMPLE.join('\n')
  part('reference').value = 'A sample'
}

async function handIn() {
  const lines = part('rows')
    .value.split('\n')
    .filter((line) => line.trim() !== '')
  const payments = lines.map((line) => {
    const [beneficiary = '', iban = '', amount = '', currency = ''] = line.split(',')
    return {
      beneficiary: beneficiary.trim(),
      iban: iban.replaceAll(/\s/g, '').toUpperCase(),
      amount: amount.trim(),
      currency: currency.trim().toUpperCase(),
    }
  })
  const within = part('within').value
  const request = {
    // Sent again after a lost answer it is the same mass payment.
    id: crypto.randomUUID(),
    external_reference: part('reference').value,
    auto_commit: part('auto').checked,
    on_row_errors: part('errors').value,
    ...(within !== '' && { confirm_within: Number(within) }),
    payments,
  }
  const { status, body } = await ask('mass-payments', request)
  refuse(status === 202 ? undefined : body)
  if (status === 202) part('form').reset()
  void follow()
}

/** Says what did not fit, line by line. */
function refuse(problem) {
  const issues = (problem?.errors ?? []).map(({ pointer = '', detail }) => {
    const [, line, field] = /^\/payments\/(\d+)(?:\/(\w+))?/.exec(pointer) ?? []
    return line === undefined ? detail : `Line ${Number(line) + 1}: ${field ?? 'it'} ${detail}`
  })
  part('refusal').hidden = problem === undefined
  part('refusal').textContent = issues.join('. ') || (problem?.detail ?? '')
}

function show(list) {
  part('none').hidden = list.length > 0
  const known = list.map((one) => {
    const card = cards.get(one.id) ?? newCard(one.id)
    draw(card, one)
    return card
  })
  const isSame = known.every((card, i) => part('list').children[i] === card)
  if (!isSame || part('list').children.length !== known.length)
    part('list').replaceChildren(...known)
}

function newCard(id) {
  const card = part('one').content.cloneNode(true).firstElementChild
  for (const act of ['confirm', 'cancel', 'retry'])
    card.querySelector(`.${act}`).addEventListener('click', () => void perform(id, act))
  card.querySelector('details').addEventListener('toggle', () => void tell(id, card))
  cards.set(id, card)
  return card
}

async function perform(id, act) {
  const card = cards.get(id)
  for (const button of card.querySelectorAll('button')) button.disabled = true
  const { status, body } = await ask(`mass-payments/${id}/${act}`, {})
  card.dataset.refused = status < 300 ? '' : (body?.detail ?? 'that could not be done')
  await follow()
}

function draw(card, one) {
  const { status, label, with_errors: withErrors, stage, counts, confirmation, error } = one
  const of = (name) => card.querySelector(`.${name}`)
  of('name').textContent = one.external_reference || `Mass payment ${one.id.slice(0, 8)}`
  const isBusy = BUSY.includes(status)
  const state = of('state')
  state.textContent = label
  state.className = `state ${isBusy ? 'busy' : withErrors ? 'warn' : (TINTS[status] ?? '')}`
  const acts = {
    confirm: status === 'processed',
    cancel: status === 'processed',
    retry: status === 'failed' && counts,
  }
  for (const [act, may] of Object.entries(acts)) {
    of(act).hidden = !may
    of(act).disabled = false
    of(act).setAttribute('aria-label', `${of(act).textContent} ${of('name').textContent}`)
  }
  card.querySelector('progress').hidden = !isBusy
  for (const name of ['received', 'processed', 'errored', 'created'])
    of(name).textContent = counts?.[name] ?? '–'
  of('errored').classList.toggle('some', counts?.errored > 0)
  const why = card.dataset.refused || error?.message
  of('why').hidden = !why
  of('why').textContent = why ?? ''
  of('more').textContent = [
    ...(isBusy && stage ? [`just now ${stage}`] : []),
    ...(confirmation?.expires_at ? [`to be confirmed by ${when(confirmation.expires_at)}`] : []),
    `handed in ${when(one.created_at)}`,
    one.id,
  ].join(' · ')
  card.querySelector('details').hidden = !(counts?.errored > 0)
}

/** Rows come from the bank when somebody looks, and are kept nowhere. */
async function tell(id, card) {
  if (!card.querySelector('details').open || told.has(id)) return
  const { body } = await ask(`mass-payments/${id}/errors?page_size=100`)
  if (!body) return
  told.add(id)
  const lines = body.data.map(({ row, message, code }) => {
    const line = document.createElement('li')
    line.textContent = `Line ${row}: ${message ?? code}`
    return line
  })
  if (body.total > lines.length) {
    const more = document.createElement('li')
    more.textContent = `and ${body.total - lines.length} more`
    lines.push(more)
  }
  card.querySelector('.refused').replaceChildren(...lines)
}

const when = (moment) =>
  new Date(moment).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
