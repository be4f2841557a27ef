import { ask, copyOf, post } from './ask.js'
import { setState } from './tasks.js'

const POLL_MS = 1000
const SHOWN_REFUSALS = 10
const WORDS = {
  sending: ['Sending', 'busy'],
  completed: ['Sent', 'good'],
  partial: ['Sent, with errors', 'warn'],
  failed: ['Failed', 'bad'],
  cancelled: ['Cancelled', ''],
}

let timer
let shown

/** Follows the mailings while they are looked at. */
export async function showMailings(section = shown) {
  shown = section
  clearTimeout(timer)
  if (section?.id !== 'mail') return
  const list = await ask('mailings')
  clearTimeout(timer)
  if (section !== shown) return
  if (list?.data) draw(section, list)
  const isOver = list?.data?.every(({ status }) => status !== 'sending')
  if (!isOver) timer = setTimeout(showMailings, POLL_MS)
}

function draw(section, { contacts, data }) {
  section.querySelector('.contacts').textContent = contacts.toLocaleString()
  section.querySelector('.empty').hidden = data.length > 0
  const place = section.querySelector('.tasks')
  place.replaceChildren(...data.map(toItem))
}

function toItem({ mailing_id: id, subject, status, mails, sent, failed, refused, created_at: at }) {
  const item = copyOf('#task')
  const part = (selector) => item.querySelector(selector)
  const isSending = status === 'sending'
  part('.what').textContent = subject
  part('time').dateTime = at
  part('time').textContent = new Date(at).toLocaleString()
  setState(part('.state'), ...WORDS[status])
  Object.assign(part('progress'), { max: mails, value: sent + failed, hidden: !isSending })
  part('.result').textContent =
    `${sent.toLocaleString()} of ${mails.toLocaleString()} sent` +
    (failed ? `, ${failed} failed` : '')
  part('.stop').hidden = !isSending
  part('.stop').addEventListener('click', () => act(id, 'cancel'))
  part('.again').hidden = isSending || failed === 0
  part('.again').textContent = 'Send what failed again'
  part('.again').addEventListener('click', () => act(id, 'retry'))
  const why = refused.slice(0, SHOWN_REFUSALS).map(({ address, reason }) => `${address}: ${reason}`)
  part('.problem').textContent = why.join('; ')
  return item
}

async function act(id, what) {
  await post(`mailings/${id}/${what}`)
  return showMailings()
}
