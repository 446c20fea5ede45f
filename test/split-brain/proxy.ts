import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peers } from '../support/peers.ts'
import type { WorldNetwork } from './places.ts'
import { spawnIn } from './member.ts'

export const runtimePort = 9999

/** HAProxy in front of both servers, with the primary in and the standby out. Gives how to end it. */
export async function startProxy(folder: string, network: WorldNetwork) {
  const program = peers.haproxy.find()
  if (program === undefined) throw new Error('haproxy is missing')
  const server = (name: 'primary' | 'west', more: string) =>
    `  server ${name} ${network.address(name)}:5432 check inter 300ms fall 2 rise 1 ${more}`
  const config = `global
  stats socket ipv4@${network.address('proxy')}:${runtimePort} level admin
defaults
  mode tcp
  timeout connect 1s
  timeout check 1s
  timeout client 60s
  timeout server 60s
frontend entry
  bind ${network.address('proxy')}:5432
  default_backend orders
backend orders
${server('primary', '')}
${server('west', 'disabled')}
`
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, config)
  return spawnIn(network.inside('proxy', [program, '-db', '-q', '-f', file]))
}
