import { z } from 'zod'
import { portNumber } from '../catalog/index.ts'
import { defineFault } from './define-fault.ts'
import { filterRules, filterSets, planFilter, type FilterParams } from './network/filter.ts'
import { namespaceParam } from './network/namespace.ts'
import {
  addTable,
  deleteTable,
  deleteTableByHand,
  lookAtTable,
  nftFindings,
  tableTrace,
  type TableSet,
  type TableTrace,
} from './network/nft.ts'
import { directionParam, peersParam } from './network/peers.ts'

const params = z.strictObject({
  namespace: namespaceParam,
  ports: z.array(portNumber).min(1).describe('The ports of the server.'),
  protocol: z.enum(['tcp', 'udp']).describe('Of the ports.').default('tcp'),
  at: z
    .enum(['here', 'there'])
    .describe('Where the server is: here, and others cannot reach it; or there, and it cannot be reached from here.')
    .default('here'),
  peers: peersParam
    .describe(
      'Whose way to it, or on whose side it is: addresses or networks. Without them, everybody’s, also this machine’s own.',
    )
    .optional(),
  except: peersParam.describe('Who is spared.').optional(),
  direction: directionParam,
})

interface Params extends FilterParams {
  readonly ports: readonly number[]
  readonly protocol: 'tcp' | 'udp'
  readonly at: 'here' | 'there'
}

/** Packets from and to some ports are lost. */
export const networkPortBlock = defineFault<Params, TableTrace>({
  kind: 'network.port-block',
  description:
    'Loses every packet from and to some ports, by a table of its own in the packet filter (nft): the port neither answers nor refuses, and existing connections hang. Its elements expire at the deadline by themselves.',
  example: { ports: [5432], at: 'here' },
  params,
  traces: tableTrace,
  expiry: 'by-itself',
  preflight: ({ namespace }, context, signal) => nftFindings(namespace, context, signal),
  plan: async (p) => planFilter(p, setsOf(p), `${p.protocol} ${p.ports.join(', ')}`),
  async inject(p, traces, context, signal) {
    const sets = setsOf(p)
    const [from, to] = p.at === 'here' ? ['dport', 'sport'] : ['sport', 'dport']
    const narrow = { incoming: `${p.protocol} ${from} @ports`, outgoing: `${p.protocol} ${to} @ports` }
    // With addresses named, this machine's own talk is no exception: it has to reach the port too.
    const rules = filterRules({ ...p, peers: p.peers ?? [] }, sets, narrow, 'drop')
    await addTable(traces, sets, rules, context, signal)
  },
  look: (traces, { id }, signal) => lookAtTable(traces, id, signal),
  undo: (traces, { id }, signal) => deleteTable(traces, id, signal),
  manualUndo: (traces, id) => [deleteTableByHand(traces, id)],
})

function setsOf(p: Params): TableSet[] {
  return filterSets(p, [{ name: 'ports', type: 'inet_service', elements: p.ports.map(String) }])
}
