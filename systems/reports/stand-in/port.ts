/** Where the stand-in of the carrier answers when no real one is named. */
export const PORT = 7470
