import { ask, post } from './ask.js'
import { once } from './focus.js'
import { showMailings } from './mailings.js'
import { remember } from './names.js'
import { showTasks } from './tasks.js'

const TEXT = 'Notes of the visit\n\nThe lift works again.\nThe damp in flat 12 has come back.\n'

/** A list in which two rows are not what they should be. */
function sampleContacts() {
  const rows = Array.from(
    { length: 40 },
    (_, i) => `Visitor ${i + 1},visitor-${i + 1}@example.org,Guests`,
  )
  rows[16] = 'Visitor 17,visitor-17(at)example.org,Guests'
  rows[30] = ',visitor-31@example.org,Guests'
  return ['name,email,team', ...rows].join('\n')
}

const SAMPLES = {
  files: () => new File([TEXT], 'notes.txt'),
  imports: () => new File([sampleContacts()], 'visitors.csv'),
  pictures: async () => {
    const answer = await fetch('/documents/pictures/sample.png')
    return new File([await answer.blob()], 'hills.png')
  },
}

/** Has each form do what it says, and say so where it could not. */
export function showForms() {
  for (const form of document.querySelectorAll('form[data-upload]')) upload(form)
  const exports = document.querySelector('#export-form')
  onSubmit(exports, exportTable)
  exports.addEventListener('change', () => offerRows(exports))
  offerRows(exports)
  onSubmit(document.querySelector('#mail-form'), sendMails)
}

function onSubmit(form, send) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void once(form, () => tell(form, send(new FormData(form))))
  })
}

function upload(form) {
  const place = form.dataset.upload
  const send = async (file) => {
    const path = `${place}?name=${encodeURIComponent(file.name)}`
    const answer = await ask(path, { method: 'POST', body: file })
    if (answer?.task_id) remember(answer.task_id, file.name)
    if (answer?.task_id) form.reset()
    return answer
  }
  onSubmit(form, (data) => send(data.get('file')))
  const sample = form.querySelector('.sample')
  const sendSample = async () => send(await SAMPLES[place]())
  sample.addEventListener('click', () => void once(form, () => tell(form, sendSample())))
}

/** Documents are exported all of them. */
function offerRows({ elements: { table, rows } }) {
  rows.disabled = table.value !== 'readings'
}

async function exportTable(data) {
  const { table, format, rows } = Object.fromEntries(data)
  const input = { table, format, ...(table === 'readings' && { rows: Number(rows) }) }
  const answer = await post('exports', input)
  if (answer?.task_id) remember(answer.task_id, `${table}.${format}`)
  return answer
}

async function sendMails(data) {
  if (!(await isSure())) return {}
  return post('mailings', { subject: data.get('subject'), text: data.get('text') })
}

function isSure() {
  const dialog = document.querySelector('#mail dialog')
  const { promise, resolve } = Promise.withResolvers()
  dialog.returnValue = ''
  dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  dialog.showModal()
  return promise
}

async function tell(form, sending) {
  const answer = await sending.catch(() => undefined)
  form.querySelector('.problem').textContent =
    answer === undefined ? 'That did not reach the server. Try again.' : (answer.refused ?? '')
  await Promise.all([showTasks(), showMailings()])
}
