/** Imported before the system: real processes, in whose time a minute is a second or three. */
Object.assign(process.env, {
  GUIDELINES_BACKOFF: '200ms',
  GUIDELINES_LLM_RATE: '60/3s',
  GUIDELINES_TURN_PATIENCE: '1s',
  GUIDELINES_SOFT_LIMIT: '3s',
  GUIDELINES_HARD_LIMIT: '4s',
})
