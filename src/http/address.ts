/** Whether only this machine can reach an address. */
export const isLoopback = (host: string): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host)

/** A host as a URL spells it. */
export const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)
