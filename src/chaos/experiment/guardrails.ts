import { chaosEnvironments, type ChaosEnvironment, type Experiment } from '../../catalog/index.ts'
import { canonicalJson, sha256Hex } from '../../kernel/index.ts'
import type { ExperimentVerdict } from '../verdict.ts'

/**
 * Changes with anything but the environment and the time that changes what the experiment does. Lower-case hex SHA-256.
 *
 * @param plan what its drill runs, compiled; the experiment has only its name
 */
export function experimentHash(
  { environment: _environment, passes: _passes, description: _description, windows: _windows, ...rest }: Experiment,
  plan?: object,
): string {
  return sha256Hex(canonicalJson(plan === undefined ? rest : { ...rest, plan }))
}

/** A run that ended. */
export interface PastRun {
  readonly hash: string
  /** One that nobody stated counts for none. */
  readonly environment: ChaosEnvironment | 'unstated'
  readonly verdict: ExperimentVerdict
}

export interface Promotion {
  readonly allowed: boolean
  /** Where it must have passed first; absent for the first environment. */
  readonly before?: ChaosEnvironment
  readonly passed: number
  readonly needed: number
}

/**
 * Whether an experiment may run in an environment: beyond the first, it must have passed so often, unchanged, in the one before, and not have
 * failed, or left anything, since. @param history oldest first
 */
export function promotion(history: readonly PastRun[], hash: string, environment: ChaosEnvironment, needed: number): Promotion {
  const before = chaosEnvironments[chaosEnvironments.indexOf(environment) - 1]
  if (before === undefined) return { allowed: true, passed: 0, needed: 0 }
  const same = history.filter((run) => run.hash === hash)
  const breach = same.findLastIndex(({ verdict }) => verdict === 'fail' || verdict === 'cleanup-failed')
  const passed = same.slice(breach + 1).filter((run) => run.environment === before && run.verdict === 'pass').length
  return { allowed: passed >= needed, before, passed, needed }
}

/** Why a fault would hit too much; undefined when it would not. */
export function tooMuch(
  { blastRadius }: Pick<Experiment, 'blastRadius'>,
  { targets, candidates = targets.length }: { readonly targets: readonly string[]; readonly candidates?: number },
): string | undefined {
  const { targets: most, percent } = blastRadius
  if (most !== undefined && targets.length > most) return `it would hit ${targets.length} targets, more than ${most}`
  const share = candidates === 0 ? 0 : (targets.length / candidates) * 100
  if (percent !== undefined && share > percent) {
    return `it would hit ${targets.length} of ${candidates}, more than ${percent} %`
  }
  return undefined
}
