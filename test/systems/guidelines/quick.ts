/** Imported before the system: its definitions as they are, but with small numbers. */
Object.assign(process.env, {
  GUIDELINES_BACKOFF: '20ms',
  GUIDELINES_QUEUE_MAX: '6',
  GUIDELINES_CLIENT_MAX: '2',
  GUIDELINES_TURN_PATIENCE: '500ms',
})
