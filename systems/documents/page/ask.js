/** The API's JSON, `{ gone: true }` where there is nothing any more, undefined without an answer. */
export async function ask(path, options) {
  const answer = await fetch(`/documents/${path}`, options).catch(() => undefined)
  document.querySelector('#trouble').hidden = answer !== undefined && answer.status < 500
  if (answer?.status === 404) return { gone: true }
  if (answer?.ok) return answer.json()
  return answer && { refused: await reasonIn(answer) }
}

export const post = (path, body) =>
  ask(path, {
    method: 'POST',
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })

/** A copy of a template's only element. */
export const copyOf = (id) => document.querySelector(id).content.cloneNode(true).firstElementChild

async function reasonIn(answer) {
  const problem = await answer.json().catch(() => ({}))
  const [issue] = problem.errors ?? []
  return issue?.detail ?? problem.detail ?? problem.title ?? `The server answered ${answer.status}.`
}
