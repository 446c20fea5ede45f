import type { FaultPlan } from '../contract.ts'
import { findNamespace, namespaceInWords, type NamespaceParam } from './namespace.ts'
import type { TableSet, TableTrace } from './nft.ts'
import { matchPeers, peerSets, type Direction } from './peers.ts'

/** What all faults of the packet filter have in common. */
export interface FilterParams {
  readonly namespace?: NamespaceParam | undefined
  readonly peers?: readonly string[] | undefined
  readonly except?: readonly string[] | undefined
  readonly direction: Direction
}

const everywhere = ['0.0.0.0/0', '::/0']

/** The sets of a filter; `more` are its own. */
export function filterSets({ peers, except }: FilterParams, more: readonly TableSet[] = []): TableSet[] {
  return [...peerSets(peers ?? everywhere, 'peers'), ...(except === undefined ? [] : peerSets(except, 'except')), ...more]
}

/**
 * The rules that do `verdict` to what goes to and comes from the peers. This machine's talk to itself is spared, unless it is named, and so is what
 * is excepted.
 */
export function filterRules(
  { peers, direction }: FilterParams,
  sets: readonly TableSet[],
  narrow: { readonly incoming: string; readonly outgoing: string },
  verdict: string,
): { incoming: string[]; outgoing: string[] } {
  const named = (prefix: string) => sets.filter(({ name }) => name.startsWith(prefix))
  const chain = (side: 'saddr' | 'daddr', device: string, condition: string) => [
    ...(peers === undefined ? [`${device} "lo" accept`] : []),
    ...matchPeers(named('except'), side).map((match) => `${match} accept`),
    ...matchPeers(named('peers'), side).map((match) => `${match} ${condition} ${verdict}`.replaceAll(/ {2,}/g, ' ')),
  ]
  return {
    incoming: direction === 'out' ? [] : chain('saddr', 'iifname', narrow.incoming),
    outgoing: direction === 'in' ? [] : chain('daddr', 'oifname', narrow.outgoing),
  }
}

export function planFilter(params: FilterParams, sets: readonly TableSet[], what: string): FaultPlan<TableTrace> {
  const namespace = findNamespace(params.namespace)
  const peers = params.peers ?? ['everybody']
  return {
    targets: peers.map((peer) => `${what} between ${namespaceInWords(namespace)} and ${peer}`),
    traces: { namespace, sets: Object.fromEntries(sets.map(({ name, elements }) => [name, [...elements]])) },
  }
}
