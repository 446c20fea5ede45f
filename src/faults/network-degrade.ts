import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { parseDuration } from '../kernel/index.ts'
import { defineFault } from './define-fault.ts'
import { findNamespace, namespaceInWords, namespaceParam } from './network/namespace.ts'
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

const percent = z.number().gt(0).max(100)

const params = z
  .strictObject({
    namespace: namespaceParam,
    device: deviceParam.describe('The network device; what leaves by it is hit.'),
    delay: durationText.describe('Each packet leaves that much later.').optional(),
    jitter: durationText.describe('More or less by up to that much; packets may overtake one another.').optional(),
    distribution: z.enum(['normal', 'pareto', 'paretonormal']).describe('Of the jitter; without it all is as likely.').optional(),
    correlation: percent.describe('How much a packet’s delay is like that of the one before it, 0 to 100.').optional(),
    loss: percent.describe('How many of a hundred packets are lost.').optional(),
    corrupt: percent.describe('In how many of a hundred packets a bit is flipped.').optional(),
    duplicate: percent.describe('How many of a hundred packets are sent twice.').optional(),
    reorder: percent.describe('How many of a hundred packets leave at once, before those that are delayed.').optional(),
  })
  .refine((p) => [p.delay, p.loss, p.corrupt, p.duplicate].some((given) => given !== undefined), {
    message: 'expected at least one of delay, loss, corrupt and duplicate',
  })
  .refine(({ delay, jitter, reorder }) => delay !== undefined || (jitter === undefined && reorder === undefined), {
    message: 'jitter and reorder need a delay',
  })
  .refine(
    ({ jitter, distribution, correlation }) => jitter !== undefined || (distribution === undefined && correlation === undefined),
    {
      message: 'distribution and correlation are those of a jitter',
    },
  )

type Params = z.infer<typeof params>

/** A line becomes slow or bad, packet by packet. */
export const networkDegrade = defineFault<Params, QdiscTrace>({
  kind: 'network.degrade',
  description:
    'Delays, loses, corrupts, duplicates or reorders what leaves by a network device (tc netem). A kernel without netem is a finding of the preflight, and a device that has a queueing discipline of somebody else is refused.',
  example: { device: 'eth0', delay: '200ms', jitter: '50ms', distribution: 'normal' },
  params,
  traces: qdiscTrace,
  expiry: 'never',
  preflight: ({ namespace, device }, { id }, signal) => qdiscFindings(namespace, device, 'netem', id, signal),
  async plan(p, { id }) {
    const found = findNamespace(p.namespace)
    return {
      targets: [`${p.device} of ${namespaceInWords(found)} (${netemOptions(p).join(' ')})`],
      traces: { namespace: found, device: p.device, kind: 'netem', handle: handleOf(id) },
    }
  },
  inject: (p, traces, context, signal) => addQdisc(traces, netemOptions(p), context, signal),
  look: lookAtQdisc,
  undo: deleteQdisc,
  manualUndo: (traces) => [deleteQdiscByHand(traces)],
})

/** tc-netem(8). */
export function netemOptions({ delay, jitter, distribution, correlation, loss, corrupt, duplicate, reorder }: Params): string[] {
  const ms = (text: string) => `${parseDuration(text)}ms`
  const share = (name: string, value: number | undefined) => (value === undefined ? [] : [name, `${value}%`])
  return [
    ...(delay === undefined ? [] : ['delay', ms(delay)]),
    ...(jitter === undefined ? [] : [ms(jitter)]),
    ...(correlation === undefined ? [] : [`${correlation}%`]),
    ...(distribution === undefined ? [] : ['distribution', distribution]),
    ...share('reorder', reorder),
    ...share('loss', loss),
    ...share('corrupt', corrupt),
    ...share('duplicate', duplicate),
  ]
}
