import { z } from 'zod'
import { defineFault } from './define-fault.ts'
import { filterRules, filterSets, planFilter, type FilterParams } from './network/filter.ts'
import { namespaceParam } from './network/namespace.ts'
import { addTable, deleteTable, deleteTableByHand, lookAtTable, nftFindings, tableTrace, type TableTrace } from './network/nft.ts'
import { directionParam, peersParam } from './network/peers.ts'

const params = z.strictObject({
  namespace: namespaceParam,
  percent: z.number().min(0.01).max(100).describe('How many of a hundred packets are lost, each by chance: 0.01 to 100.'),
  peers: peersParam.describe('On the way from and to whom: addresses or networks. Without them, everybody.').optional(),
  except: peersParam.describe('Who is spared.').optional(),
  direction: directionParam,
})

/** nft draws a number below this for every packet, and compares it with none that is as large: "less than all" is no rule. */
const resolution = 10_000

/** Packets are lost by chance. */
export const networkLoss = defineFault<FilterParams & { readonly percent: number }, TableTrace>({
  kind: 'network.loss',
  description:
    'Loses a share of the packets from or to some peers, each by chance, by a table of its own in the packet filter (nft), where the kernel need have no netem. Its elements expire at the deadline by themselves.',
  example: { peers: ['10.0.2.7'], percent: 5, direction: 'in' },
  params,
  traces: tableTrace,
  expiry: 'by-itself',
  preflight: ({ namespace }, context, signal) => nftFindings(namespace, context, signal),
  plan: async (p) => planFilter(p, filterSets(p), `${p.percent} % of the packets`),
  async inject(p, traces, context, signal) {
    const sets = filterSets(p)
    const chance = `numgen random mod ${resolution} <= ${Math.round((p.percent / 100) * resolution) - 1}`
    await addTable(traces, sets, filterRules(p, sets, { incoming: chance, outgoing: chance }, 'drop'), context, signal)
  },
  look: (traces, { id }, signal) => lookAtTable(traces, id, signal),
  undo: (traces, { id }, signal) => deleteTable(traces, id, signal),
  manualUndo: (traces, id) => [deleteTableByHand(traces, id)],
})
