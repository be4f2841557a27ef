/** A call of the API below the mount: a POST where there is a body. `body` is what came back, if anything could be read. */
export async function ask(path, body) {
  const answer = await fetch(`/payments/${path}`, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  }).catch(() => undefined)
  document.querySelector('#trouble').hidden = answer !== undefined && answer.status < 500
  const read = await answer?.json().catch(() => undefined)
  return { status: answer?.status ?? 0, body: answer?.ok || body ? read : undefined }
}
