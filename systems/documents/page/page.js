import { showDocuments, tryOne } from './documents.js'
import { showForms } from './forms.js'
import { showMailings } from './mailings.js'
import { showMore } from './more.js'
import { showSchedules } from './schedules.js'
import { showTasks } from './tasks.js'

const TRY = '#try'
const SAMPLE = '42'

const sections = [...document.querySelectorAll('main > section')]
const links = [...document.querySelectorAll('nav a')]

showForms()
showMore(sections, follow)
void showSchedules()
void showDocuments()
turn()
window.addEventListener('hashchange', turn)

function follow(section) {
  void showTasks(section)
  void showMailings(section)
}

/** Shows the part of the page that the address names: one at a time, so that none is crowded. */
function turn() {
  const { hash } = location
  const [first] = sections
  const section = sections.find(({ id }) => hash === `#${id}`) ?? first
  for (const one of sections) one.hidden = one !== section
  for (const link of links) {
    if (link.hash === `#${section.id}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  follow(section)
  if (hash !== TRY) return
  // Once, not again with each reload.
  history.replaceState(undefined, '', location.pathname)
  void tryOne(SAMPLE)
}
