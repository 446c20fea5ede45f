import { z } from 'zod'
import { sizeText } from '../catalog/index.ts'
import { defineFault } from './define-fault.ts'
import { bytesOf } from './size.ts'
import { findNamespace, namespaceInWords, namespaceParam, type NamespaceParam } from './network/namespace.ts'
import {
  addQdisc,
  deleteQdisc,
  deleteQdiscByHand,
  deviceParam,
  handleOf,
  lookAtQdisc,
  qdiscFindings,
  qdiscTrace,
  type QdiscTrace,
} from './network/qdisc.ts'

const params = z.strictObject({
  namespace: namespaceParam,
  device: deviceParam.describe('The network device; what leaves by it is slowed.'),
  rate: sizeText.describe('At most that many bytes a second.'),
  burst: sizeText.describe('That much may go at once.').default('32KiB'),
})

type Params = { namespace?: NamespaceParam; device: string; rate: string; burst: string }

/** A line becomes narrow. */
export const networkRate = defineFault<Params, QdiscTrace>({
  kind: 'network.rate',
  description:
    'Lets no more than so many bytes a second leave by a network device (a token bucket, tc tbf); what waits longer than 400 ms is dropped. A device that has a queueing discipline of somebody else is refused.',
  example: { device: 'eth0', rate: '128kB' },
  params,
  traces: qdiscTrace,
  expiry: 'never',
  preflight: ({ namespace, device }, { id }, signal) => qdiscFindings(namespace, device, 'tbf', id, signal),
  async plan({ namespace, device, rate }, { id }) {
    const found = findNamespace(namespace)
    return {
      targets: [`${device} of ${namespaceInWords(found)}, ${rate} a second`],
      traces: { namespace: found, device, kind: 'tbf', handle: handleOf(id) },
    }
  },
  async inject({ rate, burst }, traces, context, signal) {
    const bits = `${bytesOf(rate) * 8}bit`
    await addQdisc(traces, ['rate', bits, 'burst', `${bytesOf(burst)}b`, 'latency', '400ms'], context, signal)
  },
  look: lookAtQdisc,
  undo: deleteQdisc,
  manualUndo: (traces) => [deleteQdiscByHand(traces)],
})
