import { isIP } from 'node:net'
import { z } from 'zod'
import type { TableSet } from './nft.ts'

/** An address or a network, as 10.0.0.7, 10.0.0.0/24 or fd00::/8. */
const peer = z
  .string()
  .refine((text) => {
    const [address = '', bits, ...more] = text.split('/')
    const family = isIP(address)
    return (
      family !== 0 &&
      more.length === 0 &&
      (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
    )
  })
  .meta({ expected: 'an address or a network, such as 10.0.0.7, 10.0.0.0/24 or fd00::/8' })

export const peersParam = z.array(peer).min(1)

export const directionParam = z
  .enum(['in', 'out', 'both'])
  .describe('What comes from there, what goes there, or both.')
  .default('both')

export type Direction = z.infer<typeof directionParam>

/** The sets that hold these addresses; those of a family that none belongs to do not exist. */
export function peerSets(peers: readonly string[], name: string): TableSet[] {
  return ([4, 6] as const).flatMap((family) => {
    const elements = peers.filter((text) => isIP(text.split('/')[0] ?? '') === family)
    return elements.length === 0 ? [] : [{ name: `${name}${family}`, type: `ipv${family}_addr`, elements }]
  })
}

/** `ip saddr @peers4`, one for each of the sets. */
export function matchPeers(sets: readonly TableSet[], side: 'saddr' | 'daddr'): string[] {
  return sets.map(({ name, type }) => `${type === 'ipv4_addr' ? 'ip' : 'ip6'} ${side} @${name}`)
}
