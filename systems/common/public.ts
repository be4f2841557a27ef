import { BlockList, isIP } from 'node:net'

const FORBIDDEN = new BlockList()
const V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // behind a carrier's NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local: where clouds keep their secrets
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]
/** Parts of the public range that lead elsewhere. */
const V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

for (const [type, nets] of [['ipv4', V4] as const, ['ipv6', V6] as const])
  for (const net of nets) {
    const [address = '', bits = ''] = net.split('/')
    FORBIDDEN.addSubnet(address, Number(bits), type)
  }

/** All that IPv6 has of public addresses: others, mapped IPv4 ones too, are not for us to call. */
const PUBLIC_V6 = new BlockList()
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6')

/** Whether an address is of the public internet. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !FORBIDDEN.check(address, 'ipv4')
  return PUBLIC_V6.check(address, 'ipv6') && !FORBIDDEN.check(address, 'ipv6')
}
