import { call } from './call.js'

/** The API's answer as status and JSON; neither without an answer. The page says when there is none. */
export async function ask(path, options) {
  const { status, isOk, body } = await call(`/guidelines/${path}`, options)
  const isOverloaded = status === 503 && options?.method === 'POST'
  document.querySelector('#trouble').hidden = status !== undefined && (status < 500 || isOverloaded)
  return { status, body: isOk || options?.method ? body : undefined }
}

/** Why something was not taken; empty where it was, or where nobody answered. */
export function refusalOf({ status, body }) {
  if (status === undefined || status < 300) return ''
  const [error] = body?.errors ?? []
  if (error) return `The text was not taken: it ${error.detail}.`
  if (body?.code === 'SEAL_UNKNOWN') return `The text was not taken: ${body.detail}.`
  return status === 503 || status === 429
    ? 'Very many guidelines wait just now. Try again soon.'
    : 'The text was not taken.'
}

export const post = (path, body = {}) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
