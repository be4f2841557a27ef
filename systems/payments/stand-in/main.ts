import { runStandIn } from '../../common/stand-in.ts'
import { settings, STAND_IN_PORT } from '../settings.ts'
import { openBackend } from './backend.ts'

await runStandIn(openBackend(settings.standInFile), STAND_IN_PORT)
