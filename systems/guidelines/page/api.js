import { call } from './call.js'

/** The API's answer as status and JSON; neither without an answer. The page says when there is none. */
export async function ask(path, options) {
  const { status, isOk, body } = await call(`/guidelines/${path}`, options)
  const isOverloaded = status === 503 && options?.method === 'POST'
  document.querySelector('#trouble').hidden = status !== undefined && (status < 500 || isOverloaded)
  return { status, body: isOk || options?.method ? body : undefined }
}

export const post = (path, body = {}) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
