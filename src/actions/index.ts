import { approve } from './approve.ts'
import { commit } from './commit.ts'
import { awsEc2Start } from './aws-ec2-start.ts'
import { awsEc2Stop } from './aws-ec2-stop.ts'
import { awsRdsPromote } from './aws-rds-promote.ts'
import { awsRoute53Upsert } from './aws-route53-upsert.ts'
import { awsS3Check } from './aws-s3-check.ts'
import type { AnyAction } from './contract.ts'
import { dnsCheck } from './dns-check.ts'
import { dnsUpdate } from './dns-update.ts'
import { filesRestore } from './files-restore.ts'
import { haproxyServer } from './haproxy-server.ts'
import { httpCheck } from './http-check.ts'
import { httpRequest } from './http-request.ts'
import { kubernetesApply } from './kubernetes-apply.ts'
import { kubernetesDelete } from './kubernetes-delete.ts'
import { kubernetesRollout } from './kubernetes-rollout.ts'
import { kubernetesScale } from './kubernetes-scale.ts'
import { kubernetesWait } from './kubernetes-wait.ts'
import { notify } from './notify.ts'
import { postgresFence } from './postgres-fence.ts'
import { postgresFollow } from './postgres-follow.ts'
import { postgresPromote } from './postgres-promote.ts'
import { postgresRestore } from './postgres-restore.ts'
import { postgresRewind } from './postgres-rewind.ts'
import { postgresStart } from './postgres-start.ts'
import { postgresStop } from './postgres-stop.ts'
import { replicationCheck } from './replication-check.ts'
import { serviceControl } from './service-control.ts'
import { shell } from './shell.ts'
import { sqlCheck } from './sql-check.ts'
import { sqlExecute } from './sql-execute.ts'
import { ssh } from './ssh.ts'
import { wait } from './wait.ts'

/** Everything that a step of a plan can do. */
export const actions: readonly AnyAction[] = [
  shell,
  ssh,
  filesRestore,
  postgresRestore,
  postgresStart,
  postgresPromote,
  postgresStop,
  postgresFence,
  postgresRewind,
  postgresFollow,
  replicationCheck,
  serviceControl,
  httpCheck,
  httpRequest,
  sqlCheck,
  sqlExecute,
  dnsUpdate,
  dnsCheck,
  haproxyServer,
  wait,
  approve,
  commit,
  notify,
  awsEc2Start,
  awsEc2Stop,
  awsRdsPromote,
  awsRoute53Upsert,
  awsS3Check,
  kubernetesScale,
  kubernetesRollout,
  kubernetesApply,
  kubernetesDelete,
  kubernetesWait,
]

export { commitSignals, type CommitWord } from './commit.ts'
export { approvalProblem, type Approval } from './approve.ts'
export { noOwnNetwork } from './own-network.ts'
export { restoresFrom } from './restored/repository-of.ts'
export { exportSecret } from './shell-words.ts'
export { leadOpinion, type LeadOpinion } from './servers/lead-opinion.ts'
export { requireLocal, resolveServer, serversOf, type NamedServer } from './servers/named-server.ts'
export { leaderPosition, lookAt, type SeenServer, type Sight } from './servers/survey.ts'
export type {
  Action,
  ActionContext,
  ActionProgress,
  AnyAction,
  Attempt,
  BoundAction,
  Effect,
  Finding,
  Probe,
  ProbeContext,
  Reach,
  RecoveryTarget,
  Sandbox,
  Waits,
} from './contract.ts'
