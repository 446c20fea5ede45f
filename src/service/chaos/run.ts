import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveSecret, type Catalog } from '../../catalog/index.ts'
import { openGuard, runExperiment, type ExperimentPhase, type ExperimentResult } from '../../chaos/index.ts'
import { faults } from '../../faults/index.ts'
import { HoldfastError, ownIdentity, systemClock, userName, writeFileDurably } from '../../kernel/index.ts'
import { newRunId } from '../recovery/prepare.ts'
import { chaosFolders } from './folders.ts'
import { haltedBecause } from './halt.ts'
import { addToHistory } from './history.ts'
import type { PreparedExperiment } from './prepare.ts'

export interface FinishedExperiment extends ExperimentResult {
  readonly runId: string
  /** Where all that was seen is kept. */
  readonly file: string
}

/**
 * Runs an experiment that no guardrail forbids, and gives its outcome, whatever it is. That it begins is durable before anything is broken.
 * Throws `preflight-failed` with the guardrails that forbid it.
 */
export async function runCatalogExperiment(
  catalog: Catalog,
  { experiment, hash, environment, bound, guardrails }: PreparedExperiment,
  { onPhase }: { readonly onPhase?: (phase: ExperimentPhase | 'clean-up') => void },
  signal: AbortSignal,
): Promise<FinishedExperiment> {
  if (guardrails.length > 0) {
    throw new HoldfastError('preflight-failed', {
      message: `nothing was begun: ${guardrails.map(({ message }) => message).join('; ')}`,
      hint: [...new Set(guardrails.flatMap(({ hint }) => hint ?? []))].join('\n'),
      details: { guardrails: guardrails.map(({ code, message }) => ({ code, message })) },
    })
  }
  const runId = newRunId(`chaos-${experiment.name}`)
  const folders = chaosFolders(catalog.file)
  const at = () => new Date().toISOString()
  const about = { runId, experiment: experiment.name, hash, environment, by: userName() }
  await addToHistory(catalog.file, { type: 'began', ...about, at: at(), process: await ownIdentity() })
  const result = await runExperiment(
    {
      experiment,
      faults: bound,
      clock: systemClock,
      resolveSecret,
      openGuard: (signal) => openGuard({ directory: folders.faults, faults, experiment: runId, catalog }, signal),
      halted: () => haltedBecause(catalog.file),
      ...(onPhase === undefined ? {} : { onPhase }),
    },
    signal,
  )
  const { verdict, because, recoveryMs } = result
  const file = join(folders.runs, `${runId}.json`)
  await mkdir(folders.runs, { recursive: true, mode: 0o700 })
  await writeFileDurably(file, `${JSON.stringify({ ...about, ...result })}\n`)
  const recovery = recoveryMs === undefined ? {} : { recoveryMs }
  await addToHistory(catalog.file, { type: 'ended', runId, at: at(), verdict, because: [...because], ...recovery })
  return { runId, file, ...result }
}
