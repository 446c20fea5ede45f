import { hostname, release, arch } from 'node:os'
import type { Clock, Json } from '../../kernel/index.ts'
import { isMap } from './python-values.ts'
import { timestamp } from './play.ts'
import type { CtkExperiment, CtkJournal, DryKind } from './types.ts'

/** The version of chaostoolkit-lib whose journal this is. */
const journalVersion = '1.45.0'

export function newJournal(experiment: CtkExperiment, dry: DryKind | undefined, clock: Clock): CtkJournal {
  return {
    'chaoslib-version': journalVersion,
    platform: `${process.platform === 'linux' ? 'Linux' : process.platform}-${release()}-${arch()}`,
    node: hostname(),
    experiment: { ...withoutSecrets(experiment), dry: dry ?? null },
    start: timestamp(clock),
    status: null,
    deviated: false,
    steady_states: { before: null, after: null, during: [] },
    run: [],
    rollbacks: [],
  }
}

/** Secrets that stand in the experiment itself are not told again; where others come from is. */
export function withoutSecrets(experiment: CtkExperiment): CtkExperiment {
  if (experiment.secrets === undefined) return experiment
  const secrets = Object.fromEntries(
    Object.entries(experiment.secrets).map(([scope, entries]) => [
      scope,
      Object.fromEntries(
        Object.entries(entries).map(([key, value]): [string, Json] => [
          key,
          isMap(value) && 'type' in value ? value : '(secret)',
        ]),
      ),
    ]),
  )
  return { ...experiment, secrets }
}
