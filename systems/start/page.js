const LOOK_MS = 3000
const HIDDEN_LOOK_MS = 30_000
const STORES = { sqlite: 'a SQLite file', redis: 'Redis', postgres: 'PostgreSQL' }
const WORDS = {
  running: 'running',
  ready: 'waiting to start',
  scheduled: 'to start later',
  waiting: 'on hold',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
}

const line = document.querySelector('#health')
let timer

void look()
document.addEventListener('visibilitychange', () => void look())

/** How it stands, again after a while, less often while nobody sees the page. */
async function look() {
  clearTimeout(timer)
  const answer = await fetch('/health').catch(() => undefined)
  line.textContent = answer ? say(await answer.json()) : 'The server does not answer just now.'
  clearTimeout(timer)
  timer = setTimeout(look, document.hidden ? HIDDEN_LOOK_MS : LOOK_MS)
}

function say({ status, workers, queues = {}, store }) {
  if (status === 'down') return 'The store cannot be read just now.'
  const counts = Object.entries(WORDS)
    .filter(([state]) => queues[state] > 0)
    .map(([state, word]) => `${queues[state].toLocaleString()} ${word}`)
  const hands =
    workers.alive === 1 ? 'One worker is running' : `${workers.alive || 'No'} workers are running`
  const jobs = counts.length > 0 ? `Jobs: ${counts.join(', ')}.` : 'There are no jobs yet.'
  return `${hands}, and jobs are kept in ${STORES[store.kind] ?? store.kind}. ${jobs}`
}
