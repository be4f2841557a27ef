/** Why a page could not be read, and whether another attempt may find it otherwise. */
const IS_FINAL = {
  ADDRESS_REFUSED: true,
  NAME_NOT_FOUND: true,
  NAME_TROUBLE: false,
  TIMED_OUT: false,
  NOT_CONNECTED: false,
  BROKEN_ANSWER: false,
  TOO_LARGE: true,
  TOO_MANY_REDIRECTS: true,
  BAD_REDIRECT: true,
  NOT_A_PAGE: true,
  REFUSED: true,
  UNAVAILABLE: false,
} as const

export type PageCode = keyof typeof IS_FINAL

export class PageError extends Error {
  override readonly name = 'PageError'
  readonly code: PageCode
  /** How long the site asks to be left alone. */
  readonly waitMs: number | undefined

  constructor(code: PageCode, message: string, options?: ErrorOptions & { waitMs?: number }) {
    super(message, options)
    this.code = code
    this.waitMs = options?.waitMs
  }

  get isFinal(): boolean {
    return IS_FINAL[this.code]
  }
}
