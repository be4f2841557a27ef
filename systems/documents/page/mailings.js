import { ask, copyOf, post } from './ask.js'
import { limitOf, offerMore } from './more.js'
import { putIn, setState } from './tasks.js'

const POLL_MS = 1000
const SHOWN_REFUSALS = 10
const WORDS = {
  sending: ['Sending', 'busy'],
  completed: ['Sent', 'good'],
  partial: ['Sent, with errors', 'warn'],
  failed: ['Failed', 'bad'],
  cancelled: ['Cancelled', ''],
}

/** Mailing id → its entry on the page. */
const entries = new Map()
let timer
let shown
let looks = 0

/** Follows the mailings while they are looked at. */
export async function showMailings(section = shown) {
  shown = section
  clearTimeout(timer)
  const look = ++looks
  if (section?.id !== 'mail') return
  const list = await ask(`mailings?${limitOf(section)}`)
  if (look !== looks) return
  if (list?.data) draw(section, list)
  const isOver = list?.data?.every(({ status }) => status !== 'sending')
  if (!isOver) timer = setTimeout(showMailings, POLL_MS)
}

function draw(section, { contacts, data, more }) {
  for (const place of section.querySelectorAll('.contacts'))
    place.textContent = contacts.toLocaleString()
  section.querySelector('.empty').hidden = data.length > 0
  putIn(section.querySelector('.tasks'), data.map(entryOf))
  offerMore(section, more)
}

function entryOf(mailing) {
  const { mailing_id: id } = mailing
  const item = entries.get(id) ?? newItem(mailing)
  entries.set(id, item)
  fill(item, mailing)
  return item
}

function newItem({ mailing_id: id, subject, created_at: at }) {
  const item = copyOf('#task')
  const part = (selector) => item.querySelector(selector)
  part('.what').textContent = subject
  part('time').dateTime = at
  part('time').textContent = new Date(at).toLocaleString()
  part('.again').textContent = 'Send what failed again'
  part('.stop').addEventListener('click', () => act(id, 'cancel'))
  part('.again').addEventListener('click', () => act(id, 'retry'))
  return item
}

function fill(item, { status, mails, sent, failed, refused }) {
  const part = (selector) => item.querySelector(selector)
  const isSending = status === 'sending'
  setState(part('.state'), ...WORDS[status])
  Object.assign(part('progress'), { max: mails, value: sent + failed, hidden: !isSending })
  part('.result').textContent =
    `${sent.toLocaleString()} of ${mails.toLocaleString()} sent` +
    (failed ? `, ${failed} failed` : '')
  part('.stop').hidden = !isSending
  part('.again').hidden = isSending || failed === 0
  const why = refused.slice(0, SHOWN_REFUSALS).map(({ address, reason }) => `${address}: ${reason}`)
  const rest = refused.length - why.length
  part('.problem').textContent = why.join('; ') + (rest > 0 ? `; and ${rest} more` : '')
}

async function act(id, what) {
  await post(`mailings/${id}/${what}`)
  return showMailings()
}
