import { z } from 'zod'
import type { Connection, KubeObject } from '../../../../clusters/index.ts'
import { pythonEquals, pythonPattern } from '../../python-values.ts'
import { ActivityFailed } from '../../types.ts'
import { clusterFunction, plainFunction, unmet } from './define.ts'
import { list } from './objects.ts'
import {
  flag,
  name as required,
  namedSelector,
  ns,
  object,
  optionalText,
  selector,
  text,
  wholeNumber,
  withName,
} from './parameters.ts'

async function podsOf(cluster: Connection, namespace: string, labels?: string | null): Promise<readonly KubeObject[]> {
  return await list(cluster, { resource: 'pods', ns: namespace }, { selector: labels ?? null })
}

const noPods = (labels: string | null) => `there are no pods ${labels ?? ''}`

export const podsInPhase = clusterFunction(
  { label_selector: selector, phase: text.default('Running'), ns, raise_on_invalid_phase: flag.default(true) },
  async ({ label_selector: labels, phase, ns: namespace, raise_on_invalid_phase: raises }, cluster) => {
    const pods = await podsOf(cluster, namespace, labels)
    if (pods.length === 0) return unmet(raises, noPods(labels))
    const other = pods.find(({ status }) => status?.phase !== phase)
    return other === undefined || unmet(raises, `pod ${other.metadata.name} is in phase ${phaseOf(other)}, not in ${phase}`)
  },
)

export const podsNotInPhase = clusterFunction(
  { label_selector: selector, phase: text.default('Running'), ns, raise_on_in_phase: flag.default(true) },
  async ({ label_selector: labels, phase, ns: namespace, raise_on_in_phase: raises }, cluster) => {
    const pods = await podsOf(cluster, namespace, labels)
    if (pods.length === 0) return unmet(raises, noPods(labels))
    const there = pods.find(({ status }) => status?.phase === phase)
    return there === undefined || unmet(raises, `pod ${there.metadata.name} is in phase ${phase}`)
  },
)

/** Each of these conditions is, just as it stands, one of every pod. */
export const podsInConditions = clusterFunction(
  {
    label_selector: selector,
    conditions: z.array(object, 'must be a list of objects'),
    ns,
    raise_on_invalid_conditions: flag.default(true),
  },
  async ({ label_selector: labels, conditions, ns: namespace, raise_on_invalid_conditions: raises }, cluster) => {
    const pods = await podsOf(cluster, namespace, labels)
    if (pods.length === 0) return unmet(raises, noPods(labels))
    for (const { metadata, status } of pods) {
      const its = (status?.conditions ?? []).map(({ type, status: value }) => ({ type, status: value }))
      const lacking = conditions.find((condition) => !its.some((one) => pythonEquals(condition, one)))
      if (lacking !== undefined) return unmet(raises, `pod ${metadata.name} has no condition ${JSON.stringify(lacking)}`)
    }
    return true
  },
)

export const countPods = clusterFunction(
  { label_selector: selector, phase: optionalText, ns },
  async ({ label_selector: labels, phase, ns: namespace }, cluster) => await count(cluster, namespace, labels, phase),
)

export const countMinPods = clusterFunction(
  { label_selector: selector, phase: optionalText.prefault('Running'), min_count: wholeNumber.default(2), ns },
  async ({ label_selector: labels, phase, min_count: least, ns: namespace }, cluster) =>
    (await count(cluster, namespace, labels, phase)) >= least,
)

async function count(cluster: Connection, namespace: string, labels: string | null, phase: string | null): Promise<number> {
  const pods = await podsOf(cluster, namespace, labels)
  return phase === null ? pods.length : pods.filter(({ status }) => status?.phase === phase).length
}

/** None of them runs; also when there is none. */
export const podIsNotAvailable = clusterFunction(
  { name: required, ns, label_selector: namedSelector, raise_on_is_available: flag.default(true) },
  async ({ name, ns: namespace, label_selector: labels, raise_on_is_available: raises }, cluster) => {
    const pods = await podsOf(cluster, namespace, withName(labels, name))
    const running = pods.find(({ status }) => status?.phase === 'Running')
    return running === undefined || unmet(raises, `pod ${running.metadata.name} is running`)
  },
)

const healthy: ReadonlySet<string> = new Set(['Running', 'Succeeded'])

export const allPodsHealthy = clusterFunction(
  { ns, raise_on_any_unhealthy: flag.default(true) },
  async ({ ns: namespace, raise_on_any_unhealthy: raises }, cluster) => {
    const ill = (await podsOf(cluster, namespace)).filter((pod) => !healthy.has(phaseOf(pod)))
    if (ill.length === 0) return true
    return unmet(raises, ill.map((pod) => `${pod.metadata.name} is ${phaseOf(pod)}`).join(', '))
  },
)

/** A tolerance of read_pod_logs, whose answer is `value`. */
export const shouldBeFoundInLogs = plainFunction(
  {
    pattern: text,
    all_containers: flag.default(true),
    value: z.record(z.string(), text, 'must be logs').nullable().default(null),
  },
  ({ pattern, all_containers: everywhere, value }) => {
    const logs = Object.values(value ?? {})
    if (logs.length === 0) throw new ActivityFailed('there are no logs to look in')
    const found = logs.filter((log) => pythonPattern(pattern).test(log)).length
    return everywhere ? found === logs.length : found > 0
  },
)

function phaseOf({ status }: KubeObject): string {
  return status?.phase ?? 'Unknown'
}
