import { runStandIn } from '../../common/stand-in.ts'
import { settings } from '../settings.ts'
import { mailApi } from './mail-api.ts'

await runStandIn(mailApi(`${settings.database}-mails.ndjson`), settings.mailPort)
