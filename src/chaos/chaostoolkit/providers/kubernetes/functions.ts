import type { NativeFunction } from './define.ts'
import { getEvents } from './events.ts'
import { killMicroservice, raising, serviceEndpointIsInitialized } from './microservices.ts'
import { createNamespace, deleteNamespace, namespaceExists } from './namespaces.ts'
import { createNetworkPolicy, creatingReady, removingReady } from './network-policies.ts'
import { drainNodes } from './node-drain.ts'
import { allNodesReady, cordoning, getNodes, nodeConditions, nodesAreHealthy, nodesHaveCondition } from './nodes.ts'
import {
  creating,
  deleting,
  deletingSome,
  existing,
  existingByName,
  rolloutDeployment,
  scaling,
  updating,
} from './object-actions.ts'
import { deletePods, terminatePods } from './pod-actions.ts'
import { readPodLogs } from './pod-logs.ts'
import {
  allPodsHealthy,
  countMinPods,
  countPods,
  podIsNotAvailable,
  podsInConditions,
  podsInPhase,
  podsNotInPhase,
  shouldBeFoundInLogs,
} from './pod-probes.ts'
import { serviceIsInitialized } from './services.ts'
import {
  daemonSetAvailableAndHealthy,
  daemonSetPartiallyAvailable,
  daemonSetWaiting,
  deploymentAvailableAndHealthy,
  deploymentPartiallyAvailable,
  fullyAvailable,
  notFullyAvailable,
} from './workload-probes.ts'

type Module = Readonly<Record<string, NativeFunction>>

const deploymentActions = {
  create_deployment: creating('deployments'),
  delete_deployment: deletingSome('deployments'),
  scale_deployment: scaling('deployments'),
}
const deploymentProbes = {
  deployment_available_and_healthy: deploymentAvailableAndHealthy,
  deployment_fully_available: fullyAvailable('deployments'),
  deployment_not_fully_available: notFullyAvailable('deployments'),
}
const podProbes = {
  all_pods_healthy: allPodsHealthy,
  pod_is_not_available: podIsNotAvailable,
  read_pod_logs: readPodLogs,
}
const deleteReplicaSet = deletingSome('replicasets')
const deleteService = deleting('services')
const secretExists = existing('secrets')

/** Those of the package chaostoolkit-kubernetes 0.39, by module and name, with the older names that it still has. */
export const nativeModules: Readonly<Record<string, Module>> = {
  'chaosk8s.pod.actions': { terminate_pods: terminatePods, delete_pods: deletePods },
  'chaosk8s.pod.probes': {
    ...podProbes,
    pods_in_phase: podsInPhase,
    pods_not_in_phase: podsNotInPhase,
    pods_in_conditions: podsInConditions,
    count_pods: countPods,
    count_min_pods: countMinPods,
    should_be_found_in_logs: shouldBeFoundInLogs,
  },
  'chaosk8s.deployment.actions': { ...deploymentActions, rollout_deployment: rolloutDeployment },
  'chaosk8s.deployment.probes': { ...deploymentProbes, deployment_partially_available: deploymentPartiallyAvailable },
  'chaosk8s.statefulset.actions': {
    create_statefulset: creating('statefulsets'),
    remove_statefulset: deletingSome('statefulsets'),
    scale_statefulset: scaling('statefulsets'),
  },
  'chaosk8s.statefulset.probes': {
    statefulset_fully_available: fullyAvailable('statefulsets'),
    statefulset_not_fully_available: notFullyAvailable('statefulsets'),
  },
  'chaosk8s.daemonset.actions': {
    create_daemon_set: creating('daemonsets'),
    delete_daemon_set: deletingSome('daemonsets'),
    update_daemon_set: updating('daemonsets'),
  },
  'chaosk8s.daemonset.probes': {
    daemon_set_available_and_healthy: daemonSetAvailableAndHealthy,
    daemon_set_partially_available: daemonSetPartiallyAvailable,
    daemon_set_fully_available: daemonSetWaiting('ready'),
    daemon_set_not_fully_available: daemonSetWaiting('not ready'),
  },
  'chaosk8s.replicaset.actions': { delete_replica_set: deleteReplicaSet },
  'chaosk8s.node.actions': { cordon_node: cordoning(true), uncordon_node: cordoning(false), drain_nodes: drainNodes },
  'chaosk8s.node.probes': {
    get_nodes: getNodes,
    get_all_node_status_conditions: nodeConditions,
    all_nodes_must_be_ready_to_schedule: allNodesReady,
    verify_nodes_condition: nodesHaveCondition,
    nodes_must_be_healthy: nodesAreHealthy,
  },
  'chaosk8s.service.actions': { create_service_endpoint: creating('services'), delete_service: deleteService },
  'chaosk8s.service.probes': { service_is_initialized: serviceIsInitialized },
  'chaosk8s.namespace.actions': { create_namespace: createNamespace, delete_namespace: deleteNamespace },
  'chaosk8s.namespace.probes': { namespace_exists: namespaceExists },
  'chaosk8s.networking.actions': {
    create_ingress: creating('ingresses'),
    delete_ingress: deleting('ingresses'),
    update_ingress: updating('ingresses'),
    create_network_policy: createNetworkPolicy,
    remove_network_policy: deleting('networkpolicies'),
    deny_all_ingress: creatingReady('denyIngress'),
    remove_deny_all_ingress: removingReady('denyIngress'),
    deny_all_egress: creatingReady('denyEgress'),
    remove_deny_all_egress: removingReady('denyEgress'),
    allow_dns_access: creatingReady('allowDns'),
    remove_allow_dns_access: removingReady('allowDns'),
  },
  'chaosk8s.networking.probes': { ingress_exists: existingByName('ingresses') },
  'chaosk8s.secret.actions': { create_secret: creating('secrets'), delete_secret: deleting('secrets') },
  'chaosk8s.secret.probes': { secret_exists: secretExists },
  'chaosk8s.event.probes': { get_events: getEvents },
  'chaosk8s.actions': {
    ...deploymentActions,
    delete_pods: deletePods,
    delete_replica_set: deleteReplicaSet,
    delete_service: deleteService,
    start_microservice: deploymentActions.create_deployment,
    kill_microservice: killMicroservice,
    scale_microservice: deploymentActions.scale_deployment,
    remove_service_endpoint: deleteService,
  },
  'chaosk8s.probes': {
    ...deploymentProbes,
    ...podProbes,
    secret_exists: secretExists,
    service_is_initialized: serviceIsInitialized,
    all_microservices_healthy: raising(allPodsHealthy),
    microservice_available_and_healthy: raising(deploymentProbes.deployment_available_and_healthy),
    microservice_is_not_available: raising(podIsNotAvailable),
    service_endpoint_is_initialized: serviceEndpointIsInitialized,
    deployment_is_fully_available: raising(deploymentProbes.deployment_fully_available),
    deployment_is_not_fully_available: raising(deploymentProbes.deployment_not_fully_available),
    read_microservices_logs: readPodLogs,
  },
}
