import { layNetwork, type Network } from './network.ts'

/** The servers, whoever recovers them, the clients, what leads clients to a server, and who watches. */
const cables = [
  ['primary', 'west'],
  ['primary', 'runner'],
  ['primary', 'clients'],
  ['west', 'runner'],
  ['west', 'clients'],
  ['runner', 'clients'],
  ['proxy', 'primary'],
  ['proxy', 'west'],
  ['proxy', 'runner'],
  ['proxy', 'clients'],
  ['names', 'runner'],
  ['names', 'clients'],
  ['north', 'primary'],
  ['north', 'runner'],
  ['south', 'primary'],
  ['south', 'runner'],
] as const

export type Place = (typeof cables)[number][number]
export type WorldNetwork = Network<Place>

export async function layWorld(): Promise<WorldNetwork> {
  return await layNetwork(cables)
}

/** Whoever reaches the primary, besides the clients. */
const watchers = ['runner', 'west', 'north', 'south', 'proxy'] as const

/** The primary is alive, and nobody but the clients reaches it. */
export async function cutOff(network: WorldNetwork): Promise<void> {
  for (const place of watchers) await network.cut('primary', place)
}

export async function mendPrimary(network: WorldNetwork): Promise<void> {
  for (const place of [...watchers, 'clients'] as const) await network.mend('primary', place)
}
