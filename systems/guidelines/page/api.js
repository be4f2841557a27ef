/** The API's answer as status and JSON; neither without an answer. The page says when there is none. */
export async function ask(path, options) {
  const answer = await fetch(`/guidelines/${path}`, options).catch(() => undefined)
  const isOverloaded = answer?.status === 503 && options?.method === 'POST'
  document.querySelector('#trouble').hidden =
    answer !== undefined && (answer.status < 500 || isOverloaded)
  const body = await answer?.json().catch(() => undefined)
  return { status: answer?.status, body: answer?.ok || options?.method ? body : undefined }
}

export const post = (path, body = {}) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
