/*
 * Your reports, on any page: <script src="…/reports/widget.js" defer></script>, then Reports.request({ days: 3 }),
 * or any element with data-report="3". It shows what was asked for, also after a reload, until it can be downloaded.
 */
{
  const base = new URL('.', document.currentScript.src)
  const KEPT = `reports ${base.pathname}`
  const POLL_MS = 2000
  const HIDDEN_POLL_MS = 15_000
  const CALM_POLL_MS = 300_000
  const LATE_MS = 10_000
  /** Here it would hide the page. */
  const NARROW = matchMedia('(max-width: 30rem)')
  const OPEN = ['asking', 'queued', 'running']

  const WORDS = {
    asking: 'Asking for it …',
    queued: 'Waiting to start. How long depends on its size and on what else is made.',
    running: 'Being made',
    complete: 'Ready',
    empty: 'Nothing to download: there were no messages',
    failed: 'This report could not be made',
    expired: 'Expired: reports are kept for a few days',
    403: 'Too many messages for one report. Choose fewer days.',
    429: 'Several reports of yours are on their way. Try again when one of them is ready.',
    503: 'No reports are made just now. Try again later.',
    401: 'You are signed out. Sign in, then try again.',
    refused: 'This report could not be asked for',
    lost: 'The server does not answer. Try again later.',
  }
  const ORIGINS = { all: '', 'one-off': ', sent one by one', batch: ', sent in batches' }
  const AGAIN = { failed: 'Try again', expired: 'Generate again', empty: 'Look again' }

  /** What is shown, by what was asked for and until when: `{ id, status, days, origin, to, … }`. */
  const items = new Map()
  let kept = readKept()
  let timer
  let etag
  /** How often what is shown was changed by its user: an answer that was asked for before tells nothing of it. */
  let turn = 0

  const host = document.createElement('errand-reports')
  const root = host.attachShadow({ mode: 'open' })
  const panel = make('section', { 'aria-label': 'Your reports', hidden: '' })
  const sheet = make('link', { rel: 'stylesheet', href: new URL('widget.css', base) })
  const heading = make('button', { type: 'button', class: 'heading', 'aria-expanded': 'true' })
  const list = make('ul', { role: 'list' })
  const news = make('p', { class: 'news', role: 'status' })
  const trouble = make('p', { class: 'trouble', role: 'alert', hidden: '' })
  panel.append(heading, trouble, list, news)
  root.append(sheet, panel)
  if (document.body) document.body.append(host)
  else addEventListener('DOMContentLoaded', () => document.body.append(host))

  fold(kept.isFolded ?? NARROW.matches)
  heading.addEventListener('click', () => {
    keep({ isFolded: !panel.classList.contains('folded') })
    fold(kept.isFolded)
  })
  panel.addEventListener('focusout', ({ relatedTarget: next }) => panel.contains(next) || show())
  document.addEventListener('visibilitychange', () => void follow())
  // Another tab has asked for something.
  addEventListener('storage', ({ key }) => {
    if (key !== KEPT) return
    kept = readKept()
    void follow()
  })
  document.addEventListener('click', (event) => {
    const asked = event.target.closest?.('[data-report]')
    if (asked) void request({ days: Number(asked.dataset.report), origin: asked.dataset.origin })
  })
  window.Reports = { request }
  void follow()

  /** Asks for a report, or joins the one that is made; resolves with how it stands. */
  async function request({ days, origin = 'all', again = false, filename }) {
    const key = `${days} ${origin} asked`
    items.set(key, { status: 'asking', days, origin })
    fold(NARROW.matches && kept.isFolded !== false)
    show()
    const { status, body, detail } = await ask('', { days, origin, again, filename })
    turn++
    items.delete(key)
    if (body?.id) take([body])
    else items.set(key, { status: WORDS[status] ? status : 'refused', detail, days, origin })
    if (body?.id) keep({ ids: [...kept.ids.filter((id) => id !== body.id), body.id] })
    if (body?.id) keep({ removed: kept.removed.filter((id) => id !== body.id) })
    show()
    void follow()
    return body
  }

  /** Looks at all of them at once, soon again while one is on its way. */
  async function follow() {
    clearTimeout(timer)
    const asked = turn
    const { status, body, tag } = await ask(`mine?ids=${kept.ids.join()}`)
    const isOut = status === 401 || status === 403
    trouble.hidden = status !== 'lost' && !isOut
    trouble.textContent = isOut ? WORDS[401] : WORDS.lost
    if (asked === turn && Array.isArray(body?.data)) {
      etag = tag
      for (const [key, { id }] of items) if (id) items.delete(key)
      take(body.data)
      const known = body.data.map(({ id }) => id)
      keep({ ids: kept.ids.filter((id) => known.includes(id)) })
    }
    show()
    const isBusy = [...items.values()].some(({ status }) => OPEN.includes(status))
    const busyMs = document.hidden ? HIDDEN_POLL_MS : POLL_MS
    clearTimeout(timer)
    timer = setTimeout(follow, isBusy || status === 'lost' ? busyMs : untilExpiry())
  }

  const untilExpiry = () =>
    Math.min(
      CALM_POLL_MS,
      ...[...items.values()].flatMap(({ expires_at: at }) =>
        at ? [Math.max(POLL_MS, Date.parse(at) - Date.now())] : [],
      ),
    )

  function take(reports) {
    for (const report of reports) {
      // It was asked for after all, though nobody heard the answer.
      items.delete(lostKeyOf(report))
      if (!kept.removed.includes(report.id))
        items.set(report.id, report.empty ? { ...report, status: 'empty' } : report)
    }
  }

  function lostKeyOf({ days, origin }) {
    const key = `${days} ${origin} asked`
    return items.get(key)?.status === 'lost' ? key : undefined
  }

  function show() {
    const shown = [...items].toSorted(([, a], [, b]) => order(b).localeCompare(order(a)))
    const busy = shown.filter(([, { status }]) => OPEN.includes(status)).length
    // Whoever has just removed the last one is still here.
    const isLeft = root.activeElement === null && (trouble.hidden || kept.ids.length === 0)
    panel.hidden = shown.length === 0 && isLeft
    heading.textContent = busy ? `Your reports (${busy} on the way)` : 'Your reports'
    const rows = new Map([...list.children].map((row) => [row.dataset.key, row]))
    const next = shown.map(([key, item]) => {
      const mark = JSON.stringify({ ...item, url: undefined })
      const row = rows.get(key)
      if (row?.dataset.mark === mark) return row
      if (row) news.textContent = `${titleOf(item)}: ${WORDS[item.status]}`
      const fresh = toRow(key, item)
      fresh.dataset.mark = mark
      return fresh
    })
    const held = root.activeElement
    list.replaceChildren(...next)
    if (!held || root.activeElement) return
    const row = next.find(({ dataset }) => dataset.key === held.closest('li').dataset.key)
    const acts = [...(row?.querySelectorAll('a, button') ?? [])]
    acts.find(({ className }) => className === held.className)?.focus()
  }

  const order = ({ created_at: at }) => at ?? '9'

  function toRow(key, item) {
    const { id, status, days, origin, progress, url, filename, rows, bytes, expires_at } = item
    const { detail, zone } = item
    const row = make('li', { 'data-key': key, class: `item ${status}` })
    const title = make('strong')
    title.textContent = titleOf(item)
    const words = make('span', { class: 'words' })
    words.textContent = detail ?? WORDS[status]
    row.append(title, words)
    if (status === 'running' && progress?.total) {
      const bar = make('progress', { max: progress.total, value: progress.done ?? 0 })
      bar.setAttribute('aria-label', 'Rows written')
      row.append(bar)
    }
    const acts = make('div', { class: 'acts' })
    if (url) {
      words.textContent = `${rows.toLocaleString()} rows, ${sizeOf(bytes)}, kept until ${dayOf(expires_at, zone)}`
      const link = make('a', { href: new URL(url, base), download: filename })
      link.textContent = 'Download'
      acts.append(link)
    }
    if (!OPEN.includes(status) && !url) {
      const again = make('button', { type: 'button' })
      again.textContent = AGAIN[status] ?? 'Try again'
      again.addEventListener('click', () => {
        items.delete(key)
        void request({ days, origin, again: true })
        // What was pressed is gone with its row.
        heading.focus()
      })
      acts.append(again)
    }
    const remove = make('button', { type: 'button', class: 'quiet', 'aria-label': 'Remove' })
    remove.textContent = '×'
    remove.title = 'Remove from this list'
    remove.addEventListener('click', () => {
      items.delete(key)
      if (id) keep({ ids: kept.ids.filter((one) => one !== id), removed: [...kept.removed, id] })
      heading.focus()
      show()
      list.querySelector('a, button')?.focus()
    })
    acts.append(remove)
    row.append(acts)
    for (const act of acts.children) act.setAttribute('aria-description', title.textContent)
    return row
  }

  const titleOf = ({ days, origin, to, zone }) =>
    `${days} ${days === 1 ? 'day' : 'days'}${to ? ` until ${dayOf(Date.parse(to) - 1, zone)}` : ''}${ORIGINS[origin] ?? ''}`

  /** In the zone of the report, whose days are meant. */
  const dayOf = (moment, timeZone = 'UTC') =>
    new Date(moment).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone })

  const sizeOf = (bytes) =>
    bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`

  function fold(isClosed) {
    heading.setAttribute('aria-expanded', `${!isClosed}`)
    panel.classList.toggle('folded', isClosed)
  }

  function make(name, attributes = {}) {
    const element = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    return element
  }

  /** The status, and the JSON where it went well; `lost` without an answer. */
  async function ask(path, body) {
    const answer = await fetch(new URL(path, base), {
      signal: AbortSignal.timeout(LATE_MS),
      credentials: base.origin === location.origin ? 'same-origin' : 'include',
      ...(body
        ? {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }
        : { headers: etag ? { 'if-none-match': etag } : {} }),
    }).catch(() => undefined)
    const isAnswer = answer && (answer.status < 500 || answer.status === 503)
    if (isAnswer && answer.status === 304) return { status: 304 }
    const said = isAnswer ? await answer.json().catch(() => undefined) : undefined
    // A page of somebody between is no answer.
    if (!isAnswer || (answer.ok && said === undefined)) return { status: 'lost' }
    if (!answer.ok) {
      const isOurs = [401, 429, 503].includes(answer.status) && said?.code !== 'PAUSED'
      return { status: answer.status, detail: isOurs ? undefined : said?.detail }
    }
    return { status: answer.status, body: said, tag: answer.headers.get('etag') }
  }

  function keep(change) {
    kept = { ...kept, ...change }
    kept.removed = kept.removed.slice(-100)
    try {
      localStorage.setItem(KEPT, JSON.stringify(kept))
    } catch {
      // Refused here: it is known until the page goes.
    }
  }

  /** Whatever else may lie there under this name. */
  function readKept() {
    let there
    try {
      there = JSON.parse(localStorage.getItem(KEPT))
    } catch {
      // Nothing is kept here, or no JSON.
    }
    const textsIn = (list) => [list].flat().filter((one) => typeof one === 'string')
    const { ids, removed, isFolded } = there ?? {}
    return { ids: textsIn(ids), removed: textsIn(removed), isFolded }
  }
}
