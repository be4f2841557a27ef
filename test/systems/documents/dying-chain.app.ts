import { existsSync, writeFileSync } from 'node:fs'
import { handler } from 'errand'
import { documentsApp } from '../../../systems/documents/app.ts'
import { processFile } from '../../../systems/documents/files/contract.ts'
import * as handlers from '../../../systems/documents/handlers.ts'
import { settings } from '../../../systems/documents/settings.ts'

/** The documents app in which whoever first processes a file dies of it, once it has begun. */
const { apps: _, ...app } = documentsApp()

const processing = handler(processFile, {
  run: (input, context) => {
    const mark = `${settings.database}-died`
    if (!existsSync(mark)) {
      writeFileSync(mark, '')
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => undefined)
    }
    return handlers.processing.run(input, context)
  },
})

export default { ...app, handlers: async () => ({ ...handlers, processing }) }
