import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startNameServer, type NameServer } from '../support/bind.ts'
import { peers } from '../support/peers.ts'
import type { WorldNetwork } from './places.ts'

export const zone = 'acme.example'
/** Where clients find the database. */
export const record = `orders.${zone}`
const secret = 'c2VjcmV0LW9mLXRoZS1rZXktZm9yLXRlc3RzIQ=='

export interface Names extends AsyncDisposable {
  /** The file that the secret of the key is in. */
  readonly keyFile: string
  /** From now on no update is allowed. */
  refuse(): Promise<void>
}

/** BIND with the zone in which the database's name is, which leads to the primary. */
export async function startNames(folder: string, network: WorldNetwork): Promise<Names> {
  const named = peers.bind9.find()
  if (named === undefined) throw new Error('named is missing')
  const zoneFile = `$TTL 1
@ SOA ns1 hostmaster 1 3600 600 86400 1
@ NS ns1
ns1 A ${network.address('names')}
orders A ${network.address('primary')}
`
  const config = (policy: string) => ({
    named: `options { recursion no; };
key "failover" { algorithm hmac-sha256; secret "${secret}"; };
zone "${zone}" { type primary; file "zone"; ${policy} };`,
    files: { zone: zoneFile },
  })
  const place = {
    address: network.address('names'),
    inside: (command: readonly string[]) => network.inside('names', command),
  }
  const server: NameServer = await startNameServer(named, () => config('allow-update { key failover; };'), place)
  const keyFile = join(folder, 'dns-key')
  await writeFile(keyFile, `${secret}\n`)
  return {
    keyFile,
    refuse: async () => await server.reload(config('allow-update { none; };').named),
    [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose](),
  }
}
