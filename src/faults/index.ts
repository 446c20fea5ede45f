import type { AnyFault } from './contract.ts'
import { awsEc2Stop } from './aws-ec2-stop.ts'
import { awsFis } from './aws-fis.ts'
import { awsRdsFailover } from './aws-rds-failover.ts'
import { clockSkew } from './clock-skew.ts'
import { connectionsMysql } from './connections-mysql.ts'
import { connectionsPostgres } from './connections-postgres.ts'
import { connectionsRedis } from './connections-redis.ts'
import { credentialsExpired } from './credentials-expired.ts'
import { credentialsMissing } from './credentials-missing.ts'
import { dataDamage } from './data-damage.ts'
import { diskFill } from './disk-fill.ts'
import { diskIoErrors } from './disk-io-errors.ts'
import { diskReadOnly } from './disk-read-only.ts'
import { dnsResolver } from './dns-resolver.ts'
import { holdfastRunnerKill } from './holdfast-runner-kill.ts'
import { holdfastUnavailable } from './holdfast-unavailable.ts'
import { kubernetesChaosMesh } from './kubernetes-chaos-mesh.ts'
import { kubernetesCordon } from './kubernetes-cordon.ts'
import { kubernetesDrain } from './kubernetes-drain.ts'
import { kubernetesNetworkPolicy } from './kubernetes-network-policy.ts'
import { kubernetesPodKill } from './kubernetes-pod-kill.ts'
import { kubernetesScale } from './kubernetes-scale.ts'
import { networkDegrade } from './network-degrade.ts'
import { networkLoss } from './network-loss.ts'
import { networkPartition } from './network-partition.ts'
import { networkPortBlock } from './network-port-block.ts'
import { networkRate } from './network-rate.ts'
import { processKill } from './process-kill.ts'
import { processPause } from './process-pause.ts'
import { processRestartLoop } from './process-restart-loop.ts'
import { serviceStop } from './service-stop.ts'
import { replicationPause } from './replication-pause.ts'
import { stress } from './stress.ts'
import { tcpToxic } from './tcp-toxic.ts'

/** Everything that an experiment can break. */
export const faults: readonly AnyFault[] = [
  processKill,
  processPause,
  processRestartLoop,
  serviceStop,
  networkPartition,
  networkLoss,
  networkPortBlock,
  networkDegrade,
  networkRate,
  tcpToxic,
  dnsResolver,
  connectionsPostgres,
  connectionsMysql,
  connectionsRedis,
  dataDamage,
  replicationPause,
  credentialsMissing,
  credentialsExpired,
  holdfastRunnerKill,
  holdfastUnavailable,
  diskFill,
  diskReadOnly,
  diskIoErrors,
  stress,
  clockSkew,
  kubernetesPodKill,
  kubernetesScale,
  kubernetesCordon,
  kubernetesDrain,
  kubernetesNetworkPolicy,
  kubernetesChaosMesh,
  awsEc2Stop,
  awsRdsFailover,
  awsFis,
]

export { choose, howMany } from './choose.ts'
export { findLibfaketime } from './clock/libfaketime.ts'
export { spawnHolder, type Holder } from './holder/start.ts'
export { findLibfiu } from './io/libfiu.ts'
export { endMarkedProcesses, markedProcesses, watchdogMark } from './mark.ts'
export { createToxiproxyServer } from './toxiproxy/api.ts'
export { createProxy, type Proxy } from './toxiproxy/proxy.ts'
export type {
  AnyFault,
  BoundFault,
  Expiry,
  Fault,
  FaultContext,
  FaultPlan,
  RecalledFault,
  Sight,
  TraceContext,
} from './contract.ts'
