import { defineApp, defineLimit, handler, type Rate } from 'errand'
import { call } from './contract.ts'

const { CALLEE = '', RATE = '' } = process.env
const isRate = (text: string): text is Rate => text.includes('/')
if (!isRate(RATE)) throw new Error('RATE says how often CALLEE may be called')

const caller = handler(call, {
  async run(_, { take, signal }) {
    await take('callee')
    await (await fetch(`${CALLEE}/call`, { signal })).text()
  },
})

export default defineApp({
  jobs: [call],
  handlers: async () => ({ caller }),
  limits: [defineLimit('callee', { rate: RATE })],
  // The first call of a process is slow.
  start: async () => {
    await (await fetch(CALLEE)).text()
    return {}
  },
})
