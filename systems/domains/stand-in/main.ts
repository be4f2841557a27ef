import { runStandIn } from '../../common/stand-in.ts'
import { STAND_IN_PORT } from '../settings.ts'
import { smallWeb } from './web.ts'

await runStandIn(smallWeb(), STAND_IN_PORT)
