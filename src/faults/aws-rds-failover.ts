import { z } from 'zod'
import { awsParams, regionName, type AwsTarget } from '../aws/index.ts'
import { text } from '../catalog/index.ts'
import { blocker, HoldfastError, type Finding } from '../kernel/index.ts'
import { openDatabases, type Databases, type FoundCluster, type FoundInstance } from './aws/databases.ts'
import { absent, present, type Sight } from './contract.ts'
import { defineFault } from './define-fault.ts'

const target = { region: regionName, ...awsParams }

const params = z
  .strictObject({
    ...target,
    instance: text.describe('A Multi-AZ instance: its standby takes over.').optional(),
    cluster: text.describe('Or an Aurora or Multi-AZ cluster: one of its readers takes over.').optional(),
    to: text.describe('Which of the cluster’s readers. Default: RDS chooses.').optional(),
  })
  .refine(({ instance, cluster }) => (instance === undefined) !== (cluster === undefined), {
    message: 'expected either an instance or a cluster',
  })
  .refine(({ cluster, to }) => to === undefined || cluster !== undefined, { path: ['to'], message: 'only a cluster has readers' })

type Params = AwsTarget & {
  readonly instance?: string | undefined
  readonly cluster?: string | undefined
  readonly to?: string | undefined
}

/** `leader` is the zone of an instance's primary, or the writer of a cluster, before. */
const traces = z.strictObject({
  ...target,
  kind: z.enum(['instance', 'cluster']),
  name: z.string(),
  resourceId: z.string(),
  leader: z.string(),
})

type Traces = z.infer<typeof traces>

const pollMs = 2000

/** A managed database gets another primary. */
export const awsRdsFailover = defineFault<Params, Traces>({
  kind: 'aws.rds-failover',
  description:
    'Fails a database of RDS over: a Multi-AZ instance by a reboot with failover, a cluster (Aurora, or Multi-AZ with two readers) to one of its readers. Connections break, and names lead elsewhere, for a minute or two. It counts as injected once the primary is in another zone, or another member of the cluster writes; the end of the fault does not fail it back. It needs rds:DescribeDBInstances and RebootDBInstance, or DescribeDBClusters and FailoverDBCluster.',
  example: { region: 'eu-central-1', instance: 'orders-db' },
  params,
  traces,
  irreversible: true,
  expiry: 'never',

  async preflight(p, context, signal) {
    using rds = await openDatabases(p, context, signal)
    if (p.cluster !== undefined) return clusterFindings(p.cluster, p, await rds.cluster(p.cluster))
    return instanceFindings(p.instance ?? '', p.region, await rds.instance(p.instance ?? ''))
  },

  async plan({ instance, cluster, to, ...aws }, context, signal) {
    using rds = await openDatabases(aws, context, signal)
    const what = { kind: cluster === undefined ? 'instance' : 'cluster', name: cluster ?? instance ?? '' } as const
    const found = await leaderOf(rds, what)
    if (found === undefined) return { targets: [], traces: { ...aws, ...what, resourceId: '', leader: '' } }
    if (found.leader === '') throw new HoldfastError('fault-refused', { message: `RDS does not say who leads ${what.name}` })
    const leads = what.kind === 'instance' ? 'its primary' : 'its writer'
    return {
      targets: [
        `${what.kind} ${what.name} of RDS in ${aws.region} (${found.leader} has ${leads}${to === undefined ? '' : `, to ${to}`})`,
      ],
      traces: { ...aws, ...what, ...found },
    }
  },

  async inject({ to }, trace, context, signal) {
    using rds = await openDatabases(trace, context, signal)
    const { clock, deadlineMs } = context
    const now = await leaderOf(rds, trace)
    if (now?.resourceId !== trace.resourceId || now.leader !== trace.leader)
      throw new HoldfastError('fault-refused', {
        message: `${trace.name} has failed over, or was replaced, since it was looked at`,
      })
    if (trace.kind === 'instance') await rds.failInstanceOver(trace.name)
    else await rds.failClusterOver(trace.name, to)
    while ((await sightOf(rds, trace)).state !== 'present') {
      if (clock.monotonicMs() > deadlineMs)
        throw new HoldfastError('fault-failed', { message: `${trace.name} has not failed over in time` })
      await clock.sleep(pollMs, signal)
    }
  },

  async look(trace, context, signal) {
    using rds = await openDatabases(trace, context, signal)
    return await sightOf(rds, trace)
  },

  async undo() {
    // A second failover would be a second outage, and nobody asked for it.
  },

  manualUndo: () => [],
})

async function sightOf(rds: Databases, trace: Traces): Promise<Sight> {
  const found = await leaderOf(rds, trace)
  if (found?.resourceId !== trace.resourceId) return { state: 'unknown', because: `${trace.name} is gone, or another by now` }
  return found.leader === trace.leader ? absent : present
}

/** Undefined where it is gone. A cluster that has no writer at the moment has not got another one yet. */
async function leaderOf(
  rds: Databases,
  { kind, name, leader = '' }: Pick<Traces, 'kind' | 'name'> & { readonly leader?: string },
): Promise<Pick<Traces, 'resourceId' | 'leader'> | undefined> {
  if (kind === 'instance') {
    const found = await rds.instance(name)
    return found && { resourceId: found.resourceId, leader: found.zone || leader }
  }
  const found = await rds.cluster(name)
  return found && { resourceId: found.resourceId, leader: found.writer ?? leader }
}

function instanceFindings(name: string, region: string, found: FoundInstance | undefined): Finding[] {
  if (found === undefined) return [blocker('no-database', `there is no database instance ${name} in ${region}`)]
  if (found.cluster !== undefined)
    return [blocker('cluster-member', `${name} belongs to the cluster ${found.cluster}`, `cluster: ${found.cluster}`)]
  if (!found.isMultiAz) return [blocker('no-standby', `${name} has no standby in another zone: it would only be down`)]
  return availableFindings(name, found.status)
}

function clusterFindings(name: string, { region, to }: Params, found: FoundCluster | undefined): Finding[] {
  if (found === undefined) return [blocker('no-database', `there is no cluster ${name} in ${region}`)]
  const { readers, status, writer } = found
  if (writer === undefined)
    return [blocker('no-writer', `${name} has no writer at the moment: it may be failing over`, 'wait until it has one')]
  if (readers.length === 0) return [blocker('no-standby', `${name} has no reader that could take over`)]
  if (to !== undefined && !readers.includes(to))
    return [blocker('no-such-reader', `${to} is no reader of ${name}`, `its readers are: ${readers.join(', ')}`)]
  return availableFindings(name, status)
}

function availableFindings(name: string, status: string): Finding[] {
  if (status === 'available') return []
  return [blocker('not-available', `${name} is ${status}: RDS fails over what is available`, 'wait until it is')]
}
