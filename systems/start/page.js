const LOOK_MS = 3000
const HIDDEN_LOOK_MS = 30_000
const STATES = ['ready', 'running', 'waiting', 'scheduled', 'completed', 'failed']

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
  const counts = STATES.filter((state) => queues[state] > 0).map(
    (state) => `${queues[state]} ${state}`,
  )
  const hands = workers.alive === 1 ? 'one worker' : `${workers.alive || 'no'} workers`
  return `${hands} on ${store.kind}; ${counts.join(', ') || 'no jobs yet'}`
}
