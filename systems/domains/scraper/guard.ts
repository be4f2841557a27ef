import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublic } from '../../common/public.ts'
import { PageError } from './error.ts'

/** Finds the addresses of a name. */
export type Names = (host: string) => Promise<string[]>

/**
 * The addresses that may be called for a host; one that is private refuses all of them. To connect to no other, and to
 * ask here for every connection, is what makes a name that changes its mind harmless.
 * @throws PageError ADDRESS_REFUSED, NAME_NOT_FOUND, NAME_TROUBLE
 */
export async function guarded(host: string, names: Names): Promise<string[]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(bare) ? [bare] : await names(bare)
  if (addresses.length === 0) throw new PageError('NAME_NOT_FOUND', 'the name has no address')
  if (addresses.every(isPublic)) return addresses
  throw new PageError('ADDRESS_REFUSED', 'the name leads into a private network')
}

/** The names that this machine knows. */
export const systemNames: Names = async (host) => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (cause) {
    const isUnknown = cause instanceof Error && 'code' in cause && cause.code === 'ENOTFOUND'
    throw isUnknown
      ? new PageError('NAME_NOT_FOUND', 'the name does not exist', { cause })
      : new PageError('NAME_TROUBLE', 'the name could not be looked up', { cause })
  }
}
