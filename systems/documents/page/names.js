const NAMES = 'documents.names'
const MOST = 100
const KINDS = {
  file: 'A file',
  export: 'An export',
  report: 'The report of the week',
  import: 'An import',
  picture: 'A picture',
}

/** Task id → what it was called here. Names of files are kept by this browser, and in no store. */
const names = readNames()

export function remember(taskId, name) {
  names[taskId] = name
  const kept = Object.entries(names).slice(-MOST)
  localStorage.setItem(NAMES, JSON.stringify(Object.fromEntries(kept)))
}

export const nameOf = ({ task_id: id, kind, result }) => names[id] ?? result?.file ?? KINDS[kind]

function readNames() {
  try {
    return JSON.parse(localStorage.getItem(NAMES)) ?? {}
  } catch {
    return {}
  }
}
