import type { CtkJournal, CtkResult } from '../../chaos/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import { aboutRun, type RunOfExperiment } from './experiment-record.ts'

/** What the ledger keeps of a run of an experiment of Chaos Toolkit. What its actions did, nobody has read back. */
export function fileRecord(
  experiment: string,
  run: RunOfExperiment,
  { verdict, because, journal, passedOver }: CtkResult,
): EvidenceBody<'experiment'> {
  return {
    ...aboutRun(run),
    experiment,
    environment: 'unstated',
    verdict,
    because: [...because],
    samples: samplesOf(journal),
    faults: journal.run.flatMap(({ activity: { type, name }, status }, place) => {
      if (type !== 'action') return []
      return [
        {
          name,
          targets: ['unknown'],
          ...(passedOver.includes(place)
            ? { state: 'not-begun' as const, undo: 'gone' as const }
            : { state: status === 'succeeded' ? ('unconfirmed' as const) : ('failed' as const), undo: 'unknown' as const }),
        },
      ]
    }),
  }
}

function samplesOf({ steady_states: { before, during, after } }: CtkJournal) {
  const counts = (looks: CtkJournal['steady_states']['during']) => ({
    slots: looks.length,
    seen: looks.filter(({ steady_state_met: met }) => met !== null).length,
    steady: looks.filter(({ steady_state_met: met }) => met === true).length,
  })
  return {
    ...(before === null ? {} : { before: counts([before]) }),
    ...(during.length === 0 ? {} : { during: counts(during) }),
    ...(after === null ? {} : { after: counts([after]) }),
  }
}
