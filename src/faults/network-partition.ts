import { z } from 'zod'
import { defineFault } from './define-fault.ts'
import { filterRules, filterSets, planFilter, type FilterParams } from './network/filter.ts'
import { namespaceParam } from './network/namespace.ts'
import { addTable, deleteTable, deleteTableByHand, lookAtTable, nftFindings, tableTrace, type TableTrace } from './network/nft.ts'
import { directionParam, peersParam } from './network/peers.ts'

const params = z.strictObject({
  namespace: namespaceParam,
  peers: peersParam.describe('From whom to cut off: addresses or networks. Without them, from everybody.').optional(),
  except: peersParam.describe('Who is reached all the same, such as those who watch the experiment.').optional(),
  direction: directionParam,
})

const noCondition = { incoming: '', outgoing: '' }

/** Packets are lost without a word, in one direction or both. */
export const networkPartition = defineFault<FilterParams, TableTrace>({
  kind: 'network.partition',
  description:
    'Loses every packet from or to some peers, or both, by a table of its own in the packet filter (nft): connections hang, as between sites whose line is cut. Its elements expire at the deadline by themselves, and what other tables do is not touched. A program on this machine that sends without a connection may be told that it was not permitted to.',
  example: { peers: ['10.0.2.0/24'], except: ['10.0.2.9'], direction: 'both' },
  params,
  traces: tableTrace,
  expiry: 'by-itself',
  preflight: ({ namespace }, context, signal) => nftFindings(namespace, context, signal),
  plan: async (p) => planFilter(p, filterSets(p), 'the line'),
  async inject(p, traces, context, signal) {
    const sets = filterSets(p)
    await addTable(traces, sets, filterRules(p, sets, noCondition, 'drop'), context, signal)
  },
  look: (traces, { id }, signal) => lookAtTable(traces, id, signal),
  undo: (traces, { id }, signal) => deleteTable(traces, id, signal),
  manualUndo: (traces, id) => [deleteTableByHand(traces, id)],
})
