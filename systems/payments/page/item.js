import { ask, reasonOf } from './ask.js'
import { once } from './focus.js'
import { many } from './rows.js'

const TONES = { failed: 'bad', unknown: 'bad', created: 'good', processed: 'warn', cancelled: '' }
const COUNTS = ['received', 'processed', 'errored', 'created']
const ROWS = 20

/** One mass payment in the list: drawn once, then kept as it stands. */
export class Item {
  element = document.querySelector('template').content.firstElementChild.cloneNode(true)
  #view
  #page = 0
  #changed

  constructor(changed) {
    this.#changed = changed
    const errors = this.#part('.errors')
    errors.addEventListener('toggle', () => {
      if (errors.open && this.#page === 0) void this.#read()
    })
    this.#part('.next').addEventListener('click', () => void this.#read())
    for (const button of this.element.querySelectorAll('[data-act]'))
      button.addEventListener('click', () => {
        void once(this.#part('.acts'), () => this.#act(button.dataset.act))
      })
  }

  /** Shows how it stands; says whether that is another status than before. */
  show(view) {
    const before = this.#view?.label
    this.#view = view
    this.#text('h3', view.external_reference?.trim() || 'Without a name')
    this.#text('.state', view.label)
    const tone = TONES[view.status] ?? 'busy'
    this.#part('.state').className = `state ${tone === 'good' && view.with_errors ? 'warn' : tone}`
    this.#text('.about', `${momentOf(view.created_at)} · ${view.id.slice(0, 8)}`)
    this.#part('.about').title = view.id
    this.#count(view.counts)
    this.#say()
    this.#offer()
    return before !== undefined && before !== view.label
  }

  /** The deadline comes nearer by itself. */
  tick() {
    if (this.#view?.confirmation?.expires_at) this.#say()
  }

  #count(counts) {
    const list = this.#part('.counts')
    list.hidden = counts === undefined
    const errors = this.#part('.errors')
    errors.hidden = !counts?.errored
    if (!counts) return
    this.#text('summary', `${many(counts.errored, 'row')} refused`)
    if (list.childElementCount === 0)
      for (const name of COUNTS) {
        const place = document.createElement('div')
        place.append(document.createElement('dt'), document.createElement('dd'))
        place.firstChild.textContent = name
        list.append(place)
      }
    for (const [i, name] of COUNTS.entries()) {
      const value = list.children[i].lastChild
      value.textContent = counts[name].toLocaleString()
      value.classList.toggle('some', name === 'errored' && counts.errored > 0)
    }
  }

  #say() {
    const text = wordsOf(this.#view)
    this.#part('.words').classList.toggle('bad', TONES[this.#view.status] === 'bad')
    this.#text('.words', text)
    this.#part('.words').hidden = text === ''
  }

  #offer() {
    const { acts, counts } = this.#view
    for (const button of this.element.querySelectorAll('[data-act]'))
      button.hidden = !acts.includes(button.dataset.act)
    this.#text(
      '[data-act=confirm]',
      counts ? `Confirm ${many(counts.processed, 'payment')}` : 'Confirm',
    )
    this.#part('.acts').hidden = acts.length === 0
  }

  async #act(act) {
    const answer = await ask(`/${this.#view.id}/${act}`, { method: 'POST' })
    const problem = this.#part('.problem')
    problem.hidden = answer.isOk
    problem.textContent = answer.isOk ? '' : reasonOf(answer)
    await this.#changed()
  }

  /** What was wrong with the rows is fetched when somebody wants to know, from the backend. */
  async #read() {
    const next = this.#part('.next')
    next.hidden = true
    const page = this.#page + 1
    const answer = await ask(`/${this.#view.id}/errors?page=${page}&page_size=${ROWS}`)
    next.hidden = answer.isOk && answer.body.total <= page * ROWS
    next.textContent = answer.isOk ? 'More' : 'These cannot be read just now. Try again'
    if (!answer.isOk) return
    this.#page = page
    for (const { row, reference, message } of answer.body.data) {
      const line = document.createElement('li')
      line.textContent = `Row ${row}${reference ? ` (${reference})` : ''}: ${message}`
      this.#part('ul').append(line)
    }
  }

  #part(selector) {
    return this.element.querySelector(selector)
  }

  #text(selector, text) {
    const part = this.#part(selector)
    if (part.textContent !== text) part.textContent = text
  }
}

function momentOf(moment) {
  const date = new Date(moment)
  const isToday = date.toDateString() === new Date().toDateString()
  return date.toLocaleString(undefined, {
    ...(!isToday && { dateStyle: 'medium' }),
    timeStyle: 'short',
  })
}

function wordsOf({ status, stage, error, confirmation, cancellation, acts }) {
  if (status === 'failed') return `It failed: ${error?.message ?? 'no reason is known'}.`
  if (status === 'unknown') return `Nobody can tell how it stands: ${error?.message}.`
  if (status !== 'processed') return stage && !status.startsWith('queued') ? `Now: ${stage}.` : ''
  if (acts.length === 0) return 'It is being cancelled.'
  const refused = cancellation ? `It could not be cancelled: ${cancellation.reason}. ` : ''
  if (!confirmation?.needed) return `${refused}Every row was refused: there is nothing to confirm.`
  return `${refused}It waits for your confirmation${deadline(confirmation?.expires_at)}.`
}

/** Until when, and from an hour before it how long that still is. */
function deadline(moment) {
  if (moment === undefined) return ''
  const left = Math.max(0, Math.round((Date.parse(moment) - Date.now()) / 1000))
  const clock = `${Math.floor(left / 60)}:${`${left % 60}`.padStart(2, '0')}`
  return ` until ${momentOf(moment)}${left <= 3600 ? ` (${clock} left)` : ''}, else it is cancelled`
}
