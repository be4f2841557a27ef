import { runStandIn } from '../../common/stand-in.ts'
import { millis, settings } from '../settings.ts'
import { Bills } from './bills.ts'
import { standInLlm } from './llm.ts'

const { STAND_IN_DELAY, STAND_IN_FILE, STAND_IN_PORT } = settings
await runStandIn(standInLlm(new Bills(STAND_IN_FILE), millis(STAND_IN_DELAY)), STAND_IN_PORT)
