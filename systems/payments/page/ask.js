import { call } from './call.js'

/** The status and the JSON, or nothing without an answer. What is asked for again after none is the same. */
export const ask = (path, options) => call(`/payments/mass-payments${path}`, options)

/** Why something was not done, in words. */
export const reasonOf = ({ status, body }) =>
  status === undefined
    ? 'The server does not answer. Nothing is done twice if you try again.'
    : (body?.detail ?? body?.title ?? 'This could not be done. Try again later.')
