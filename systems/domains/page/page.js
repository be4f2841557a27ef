import { call } from './call.js'
import { list, tell } from './earlier.js'
import { once } from './focus.js'
import { factsOf, foundOf, show } from './rows.js'

const AGAIN_MS = 2000
const LOOK_MS = 2000
const HIDDEN_LOOK_MS = 15_000
const part = (id) => document.querySelector(`#${id}`)
const here = { batch: undefined, status: undefined, stream: undefined, rows: new Map() }

part('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  void once(part('ask'), handIn)
})
part('sample').addEventListener('click', () => void once(part('ask'), trySample))
part('retry').addEventListener('click', () => void act('retry'))
part('cancel').addEventListener('click', () => void act('cancel'))
window.addEventListener('hashchange', () => void goTo())
void goTo()
void showEarlier()

/** `#try` runs the sample; any other fragment is the id of a batch. */
async function goTo() {
  const id = idIn(location.hash)
  if (id === 'try') await trySample()
  else if (id !== '' && id !== here.batch) await open(id)
}

function idIn(hash) {
  try {
    return decodeURIComponent(hash.slice(1))
  } catch {
    return ''
  }
}

async function handIn() {
  const domains = part('domains')
    .value.split(/[\s,;]+/)
    .filter((text) => text !== '')
  part('mistakes').hidden = domains.length > 0
  part('mistakes').textContent = 'Paste at least one domain.'
  if (domains.length === 0) return part('domains').focus()
  const { status, isOk, body } = await ask('batch', {
    domains,
    max_pages: Number(part('pages').value),
    max_concurrent: Number(part('concurrent').value),
  })
  if (isOk) return begin(body.batch_id)
  if (status === undefined || !body) return undefined
  part('mistakes').hidden = false
  part('mistakes').textContent = mistakesOf(body, domains)
  return part('domains').focus()
}

function mistakesOf({ errors = [], detail }, domains) {
  const texts = errors.map(({ pointer, detail }) => {
    const [, index] = /^\/domains\/(\d+)$/.exec(pointer) ?? []
    return index === undefined ? `${pointer.slice(1)}: ${detail}` : `${domains[index]} ${detail}`
  })
  return texts.length > 0 ? texts.slice(0, 5).join(' · ') : detail
}

async function trySample() {
  const { isOk, body } = await ask('sample', {})
  if (isOk) await begin(body.batch_id)
}

async function begin(id) {
  history.replaceState(undefined, '', `#${encodeURIComponent(id)}`)
  await open(id)
  part('batch-name').focus({ preventScroll: true })
  part('batch').scrollIntoView({ block: 'start' })
  void showEarlier()
}

/** Shows a batch and follows it until it is over. */
async function open(id) {
  here.stream?.close()
  here.batch = id
  here.rows.clear()
  part('rows').replaceChildren()
  const { status } = await ask(`batch/${encodeURIComponent(id)}`)
  const isGone = status === 404
  part('batch').hidden = isGone
  part('mistakes').hidden = !isGone
  part('mistakes').textContent = `There is no batch ${id} of yours here, or it is kept no longer.`
  if (isGone) return
  part('batch-name').textContent = id.length > 20 ? `Batch ${id.slice(0, 8)}` : `Batch ${id}`
  part('batch-name').title = id
  follow(id)
}

function follow(id) {
  here.stream?.close()
  const stream = new EventSource(`/domains/batch/${encodeURIComponent(id)}/events`)
  here.stream = stream
  stream.addEventListener('domain', ({ data }) => showRow(JSON.parse(data)))
  stream.addEventListener('batch', ({ data }) => showBatch(JSON.parse(data)))
  stream.addEventListener('end', () => stream.close())
  stream.addEventListener('open', () => (part('trouble').hidden = true))
  stream.addEventListener('error', () => {
    part('trouble').hidden = false
    // Answered with an error it is closed for good; one that is cut begins anew by itself.
    if (stream.readyState !== EventSource.CLOSED) return
    setTimeout(() => here.stream === stream && follow(id), AGAIN_MS)
  })
}

function showBatch(batch) {
  if (batch.status !== here.status) void showEarlier()
  here.status = batch.status
  tell(batch)
  show(part('state'), batch.status)
  const { total_domains: total, completed_domains: complete, failed_domains: failed } = batch
  const { running_domains: running, cancelled_domains: cancelled, processing_time: time } = batch
  part('progress').value = batch.progress
  part('n-complete').textContent = `${complete} of ${total}`
  part('n-failed').textContent = failed
  part('n-running').textContent = running
  part('n-waiting').textContent = Math.max(0, total - complete - failed - running - cancelled)
  part('n-time').textContent = time === undefined ? '–' : `${time.toFixed(1)} s`
  part('cancel').hidden = batch.is_over
  part('retry').hidden = !batch.is_over || failed + cancelled === 0
  part('retry').textContent = failed > 0 ? 'Try failed ones again' : 'Go on'
}

function showRow(domain) {
  const row = here.rows.get(domain.domain) ?? addRow(domain.domain)
  const [button, state, found, again] = ['.open', '.state', '.found', '.again'].map((name) =>
    row.querySelector(name),
  )
  show(state, domain.status)
  const { title, more, isBad } = foundOf(domain)
  found.classList.toggle('bad', isBad)
  found.querySelector('.title').textContent = title
  found.querySelector('small').textContent = more
  button.disabled = domain.status !== 'complete'
  again.hidden = !['failed', 'cancelled'].includes(domain.status) || domain.job_id === undefined
  again.setAttribute('aria-label', `Try ${domain.domain} again`)
}

function addRow(domain) {
  const row = part('row').content.cloneNode(true).firstElementChild
  const button = row.querySelector('.open')
  button.textContent = domain
  button.addEventListener('click', () => void toggle(domain, row, button))
  row.querySelector('.again').addEventListener('click', () => {
    void act(`domains/${encodeURIComponent(domain)}/retry`)
  })
  here.rows.set(domain, row)
  part('rows').append(row)
  return row
}

async function toggle(domain, row, button) {
  const isOpen = button.getAttribute('aria-expanded') === 'true'
  button.setAttribute('aria-expanded', `${!isOpen}`)
  if (isOpen) return factsUnder(row)?.remove()
  const { body } = await ask(`batch/${path()}/domains/${encodeURIComponent(domain)}`)
  // Closed again, or opened twice, before it came.
  if (button.getAttribute('aria-expanded') !== 'true' || factsUnder(row)) return
  if (body?.facts) row.after(factsOf(body.facts))
}

const factsUnder = ({ nextElementSibling: next }) => (next?.matches('.facts') ? next : undefined)

async function act(what) {
  const { isOk, body } = await ask(`batch/${path()}/${what}`, {})
  if (isOk) follow(here.batch)
  else if (body) part('state').title = body.detail
}

const path = () => encodeURIComponent(here.batch)

/** Lists the latest batches, and again while one of them is not over. */
async function showEarlier() {
  const { body } = await ask('batch')
  clearTimeout(here.look)
  if (!body?.data) return
  list(body.data)
  if (body.data.every(({ is_over: isOver }) => isOver)) return
  here.look = setTimeout(showEarlier, document.hidden ? HIDDEN_LOOK_MS : LOOK_MS)
}

async function ask(path, body) {
  const options = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const answer = await call(`/domains/${path}`, options)
  const isHere = answer.status !== undefined && answer.status < 500
  part('trouble').hidden = isHere
  clearTimeout(here.again)
  if (!isHere) here.again = setTimeout(showEarlier, AGAIN_MS)
  return answer
}
