import type { About, Intake, Lookout, Store, Workbench } from '../contract.ts'

export type Roles = {
  intake: Intake
  workbench: Workbench
  lookout: Lookout
  close: () => Promise<void>
}

/** A store put together from its three roles, so that a driver writes each in a file of its own. */
export class WholeStore implements Store {
  readonly about: About
  readonly #intake: Intake
  readonly #workbench: Workbench
  readonly #lookout: Lookout
  readonly #close: () => Promise<void>

  constructor(about: About, { intake, workbench, lookout, close }: Roles) {
    this.about = about
    this.#intake = intake
    this.#workbench = workbench
    this.#lookout = lookout
    this.#close = close
  }

  [Symbol.asyncDispose] = () => this.#close()

  insert: Intake['insert'] = (...call) => this.#intake.insert(...call)
  cancel: Intake['cancel'] = (...call) => this.#intake.cancel(...call)
  retry: Intake['retry'] = (...call) => this.#intake.retry(...call)
  erase: Intake['erase'] = (...call) => this.#intake.erase(...call)
  audit: Intake['audit'] = (...call) => this.#intake.audit(...call)
  post: Intake['post'] = (...call) => this.#intake.post(...call)
  put: Intake['put'] = (...call) => this.#intake.put(...call)
  adopt: Intake['adopt'] = (...call) => this.#intake.adopt(...call)
  changeBatch: Intake['changeBatch'] = (...call) => this.#intake.changeBatch(...call)
  fillBatch: Intake['fillBatch'] = (...call) => this.#intake.fillBatch(...call)
  hold: Intake['hold'] = (...call) => this.#intake.hold(...call)

  register: Workbench['register'] = (...call) => this.#workbench.register(...call)
  exchange: Workbench['exchange'] = (...call) => this.#workbench.exchange(...call)
  renew: Workbench['renew'] = (...call) => this.#workbench.renew(...call)
  note: Workbench['note'] = (...call) => this.#workbench.note(...call)
  take: Workbench['take'] = (...call) => this.#workbench.take(...call)
  sweep: Workbench['sweep'] = (...call) => this.#workbench.sweep(...call)
  retire: Workbench['retire'] = (...call) => this.#workbench.retire(...call)
  unpark: Workbench['unpark'] = (...call) => this.#workbench.unpark(...call)
  purge: Workbench['purge'] = (...call) => this.#workbench.purge(...call)
  expired: Workbench['expired'] = (...call) => this.#workbench.expired(...call)
  forget: Workbench['forget'] = (...call) => this.#workbench.forget(...call)
  stoppedBatches: Workbench['stoppedBatches'] = (...call) => this.#workbench.stoppedBatches(...call)
  bury: Workbench['bury'] = (...call) => this.#workbench.bury(...call)

  find: Lookout['find'] = (...call) => this.#lookout.find(...call)
  holder: Lookout['holder'] = (...call) => this.#lookout.holder(...call)
  list: Lookout['list'] = (...call) => this.#lookout.list(...call)
  copy: Lookout['copy'] = (...call) => this.#lookout.copy(...call)
  attempts: Lookout['attempts'] = (...call) => this.#lookout.attempts(...call)
  steps: Lookout['steps'] = (...call) => this.#lookout.steps(...call)
  mail: Lookout['mail'] = (...call) => this.#lookout.mail(...call)
  logs: Lookout['logs'] = (...call) => this.#lookout.logs(...call)
  findBatches: Lookout['findBatches'] = (...call) => this.#lookout.findBatches(...call)
  listBatches: Lookout['listBatches'] = (...call) => this.#lookout.listBatches(...call)
  entries: Lookout['entries'] = (...call) => this.#lookout.entries(...call)
  ahead: Lookout['ahead'] = (...call) => this.#lookout.ahead(...call)
  audits: Lookout['audits'] = (...call) => this.#lookout.audits(...call)
  rates: Lookout['rates'] = (...call) => this.#lookout.rates(...call)
  tally: Lookout['tally'] = (...call) => this.#lookout.tally(...call)
  workers: Lookout['workers'] = (...call) => this.#lookout.workers(...call)
  metrics: Lookout['metrics'] = (...call) => this.#lookout.metrics(...call)
  verify: Lookout['verify'] = (...call) => this.#lookout.verify(...call)
  listen: Lookout['listen'] = (...call) => this.#lookout.listen(...call)
  warnings: Lookout['warnings'] = (...call) => this.#lookout.warnings(...call)
  ping: Lookout['ping'] = (...call) => this.#lookout.ping(...call)
}
