import { ask } from './ask.js'

const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString()} ${number === 1 ? one : many}`

const size = (bytes) =>
  bytes < 1000
    ? count(bytes, 'byte')
    : `${(bytes / (bytes < 1e6 ? 1e3 : 1e6)).toFixed(1)} ${bytes < 1e6 ? 'kB' : 'MB'}`

/** What a task came to, in the words of its kind. */
export async function showResult(place, { kind, status, result, task_id: id }) {
  if (status !== 'SUCCESS') return place.replaceChildren()
  place.replaceChildren(...(await SHOW[kind](result, id)))
}

function showFile({ facts }) {
  const { type, bytes, lines, width, height } = facts
  const parts = [type.toUpperCase(), size(bytes)]
  if (lines !== undefined) parts.push(count(lines, 'line'))
  if (width !== undefined) parts.push(`${width} × ${height}`)
  return [text(`${parts.join(', ')}. A mail has told of it.`)]
}

const showExport = ({ rows, bytes, url }) => [
  text(`${count(rows, 'row')}, ${size(bytes)} `),
  link('Download', url, 'button primary'),
]

const showReport = ({ file }) => [text(`${file} is among the exports, and a mail has told of it.`)]

async function showImport({ rows, imported, refused }, id) {
  const told = text(`${count(imported, 'contact')} of ${count(rows, 'row')} taken in.`)
  if (refused === 0) return [told]
  const { data = [] } = (await ask(`imports/${id}/errors`)) ?? {}
  const list = document.createElement('ul')
  list.append(
    ...data.slice(0, 20).map(({ row, field, why }) => item(`Row ${row}: ${field} ${why}`)),
  )
  const details = document.createElement('details')
  const summary = document.createElement('summary')
  summary.textContent = `${count(refused, 'row')} refused`
  details.append(summary, list, link('All of them as CSV', `/documents/imports/${id}/errors.csv`))
  return [told, details]
}

function showPicture({ width, height, sizes }) {
  const smallest = sizes.at(-1)
  const of = ({ taskId, file }) => `/documents/pictures/${taskId}/${file}`
  const parts = [text(`${width} × ${height} `)]
  for (const one of sizes) parts.push(link(`${one.width} × ${one.height}`, of(one)), text(' '))
  if (smallest === undefined) return [...parts, text('It is small already.')]
  const image = document.createElement('img')
  Object.assign(image, {
    src: of(smallest),
    alt: '',
    width: smallest.width,
    height: smallest.height,
  })
  return [image, ...parts]
}

const text = (content) => document.createTextNode(content)

function item(content) {
  const element = document.createElement('li')
  element.textContent = content
  return element
}

function link(content, url, look = '') {
  const element = document.createElement('a')
  Object.assign(element, { href: url, textContent: content, className: look })
  return element
}

const SHOW = {
  file: showFile,
  export: showExport,
  report: showReport,
  import: showImport,
  picture: showPicture,
}
