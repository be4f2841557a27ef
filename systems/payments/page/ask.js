/** The status and the JSON, or nothing without an answer. */
export async function ask(path, options) {
  const answer = await fetch(`/payments/mass-payments${path}`, options).catch(() => undefined)
  const type = answer?.headers.get('content-type') ?? ''
  const body = type.includes('json') ? await answer.json().catch(() => undefined) : undefined
  return { status: answer?.status, isOk: answer?.ok ?? false, body }
}

/** Why something was not done, in words. */
export const reasonOf = ({ status, body }) =>
  status === undefined
    ? 'The server does not answer. Nothing is done twice if you try again.'
    : (body?.detail ?? body?.title ?? 'This could not be done. Try again later.')
