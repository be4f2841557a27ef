import { join } from 'node:path'
import { runStandIn } from '../../common/stand-in.ts'
import { settings } from '../settings.ts'
import { carrierStandIn } from './carrier.ts'
import { PORT } from './port.ts'

await runStandIn(carrierStandIn(join(settings.source, '.carrier', 'taken.txt')), PORT)
