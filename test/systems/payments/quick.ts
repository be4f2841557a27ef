/** What takes seconds and minutes takes moments in these tests: by settings alone, read when the system is loaded. */
Object.assign(process.env, {
  PAYMENTS_SETTLE: '900ms',
  PAYMENTS_TIMEOUT: '400ms',
  PAYMENTS_POLL: '50ms',
  PAYMENTS_BACKOFF: '50ms',
  PAYMENTS_BACKOFF_MAX: '100ms',
})
