const WORDS = {
  pending: 'Waiting',
  running: 'Reading',
  retrying: 'Trying again',
  complete: 'Complete',
  partial: 'Partly complete',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

const LOOKS = {
  running: 'busy',
  retrying: 'warn',
  complete: 'good',
  partial: 'warn',
  failed: 'bad',
}

/** A state as a word in its colour. */
export function show(element, status) {
  element.className = `state ${LOOKS[status] ?? ''}`
  element.textContent = WORDS[status] ?? status
}

/** What a row says: the title that was found, how far it is, or what went wrong. */
export function foundOf(domain) {
  const { status, title, pages, error, progress, attempt, attempts_max: most } = domain
  if (status === 'failed') return { title: sentence(error), more: attemptsOf(attempt), isBad: true }
  if (status === 'retrying')
    return {
      title: sentence(error),
      more: `Attempt ${attempt} of ${most} follows${timeOf(domain)}`,
      isBad: false,
    }
  if (status === 'running' && progress)
    return { title: `Page ${progress.done + 1} of up to ${progress.total}`, more: '', isBad: false }
  if (status !== 'complete') return { title: '', more: '', isBad: false }
  const some = domain.with_errors ? ', some could not be read' : ''
  const more = `${pages} ${pages === 1 ? 'page' : 'pages'}${some}`
  return { title: title ?? 'No title', more, isBad: false }
}

const timeOf = ({ next_attempt_at: at }) =>
  at === undefined ? '' : ` at ${new Date(at).toLocaleTimeString()}`

const sentence = ({ message = 'It went wrong' } = {}) =>
  `${message.charAt(0).toUpperCase()}${message.slice(1)}`

const attemptsOf = (attempt) => (attempt > 1 ? `After ${attempt} attempts` : '')

/** All that is known of a domain, as a row below its own. */
export function factsOf(facts) {
  const row = document.querySelector('#facts').content.cloneNode(true).firstElementChild
  const list = row.querySelector('dl')
  const add = (name, content) => {
    if (content === undefined || content === '' || content.length === 0) return
    const term = document.createElement('dt')
    const said = document.createElement('dd')
    term.textContent = name
    said.append(content)
    list.append(term, said)
  }
  add('Address', facts.url)
  add('Description', facts.description)
  add('Language', facts.language)
  add('Headings', facts.headings.map(({ text }) => text).join(' · '))
  add('Links', `${facts.links.internal} within, ${facts.links.external} to elsewhere`)
  add('Read', `${facts.bytes.toLocaleString()} bytes${moved(facts.redirects)}`)
  const pages = document.createElement('ul')
  for (const page of facts.pages) {
    const item = document.createElement('li')
    const said = page.error ? `${page.error.message}` : (page.title ?? 'no title')
    item.textContent = `${new URL(page.url).pathname}: ${said}`
    pages.append(item)
  }
  add('Pages', pages)
  return row
}

const moved = (redirects) =>
  redirects === 0 ? '' : `, after ${redirects} ${redirects === 1 ? 'redirect' : 'redirects'}`
