import { call } from './call.js'

/** The API's JSON, `{ gone: true }` where there is nothing any more, undefined without an answer. */
export async function ask(path, options) {
  const { status, isOk, body } = await call(`/documents/${path}`, options)
  document.querySelector('#trouble').hidden = status !== undefined && status < 500
  if (status === 404) return { gone: true }
  if (isOk) return body
  return status === undefined ? undefined : { refused: reasonIn(status, body) }
}

export const post = (path, body) =>
  ask(path, {
    method: 'POST',
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })

/** A copy of a template's only element. */
export const copyOf = (id) => document.querySelector(id).content.cloneNode(true).firstElementChild

function reasonIn(status, problem = {}) {
  const [issue] = problem.errors ?? []
  return issue?.detail ?? problem.detail ?? problem.title ?? `The server answered ${status}.`
}
