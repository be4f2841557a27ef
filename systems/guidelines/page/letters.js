import { ask, post, refusalOf } from './api.js'

/** Event id → the row of a dead letter: what is typed into one stays while others come and go. */
const rows = new Map()

/** Shows what failed for good; `then` is called when a person has decided. */
export async function readLetters(then) {
  const { body } = await ask('review')
  if (!body) return
  const ids = new Set(body.data.map(({ event_id }) => event_id))
  for (const [id, row] of rows)
    if (!ids.has(id)) {
      row.remove()
      rows.delete(id)
    }
  for (const letter of body.data) {
    const row = rows.get(letter.event_id) ?? add(letter, then)
    row.querySelector('strong').textContent = saidOf(letter.last_error)
    row.querySelector('.quiet').textContent = wordsOf(letter)
  }
  document.querySelector('#dead').hidden = rows.size === 0
  document.querySelector('#dead .count').textContent =
    `(${rows.size}${body.next_cursor ? '+' : ''})`
}

function add({ event_id }, then) {
  const row = document.querySelector('#letter').content.cloneNode(true).firstElementChild
  row.querySelector('code').textContent = event_id
  row.querySelector('input').setAttribute('aria-label', 'Note for the audit log')
  const [text, problem] = [row.querySelector('textarea'), row.querySelector('.problem')]
  problem.id = `problem-${event_id}`
  text.setAttribute('aria-label', 'Another text')
  text.setAttribute('aria-describedby', problem.id)
  // A note that is ready decides nothing yet.
  row
    .querySelector('input')
    .addEventListener('keydown', (event) => event.key === 'Enter' && event.preventDefault())
  row.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const act = event.submitter?.value ?? 'retry'
    const said = [...new FormData(event.target)].map(([name, text]) => [name, text.trim()])
    const isAsked = ([name, text]) => text !== '' && (name === 'note' || act === 'retry')
    const answer = await post(`jobs/${event_id}/${act}`, Object.fromEntries(said.filter(isAsked)))
    // What another person was quicker with goes from the list by itself.
    const refusal = answer.status === 409 || answer.status === 404 ? '' : refusalOf(answer)
    problem.textContent = refusal
    problem.hidden = refusal === ''
    text.toggleAttribute('aria-invalid', refusal !== '')
    void then()
  })
  rows.set(event_id, row)
  document.querySelector('#letters').append(row)
  return row
}

function wordsOf({ attempts, attempts_max, failed_at, last_error }) {
  const when = new Date(failed_at).toLocaleString()
  return `${last_error.code} after ${attempts} of ${attempts_max} attempts, ${when}`
}

export const saidOf = ({ message, cause }) => (cause ? `${message}: ${cause.message}` : message)
