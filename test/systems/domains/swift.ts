/** No time between attempts: loaded before the definitions, which are made of it. */
export const NO_WAIT_MS = 0

process.env['DOMAINS_BACKOFF_MS'] = `${NO_WAIT_MS}`
