import { parseDuration } from '../../kernel/index.ts'
import { recoveryVerdict, type RecoveryObjective } from '../../objectives/index.ts'
import type { FinishedRun } from '../recovery/recover.ts'
import { demoObjectives, demoServices } from './catalog-text.ts'
import type { RowComparison } from './compare-rows.ts'
import type { DemoOptions } from './demo-options.ts'
import type { DemoLayout } from './layout.ts'
import type { FileComparison } from './receipts.ts'
import type { DemoObjective, DemoReport } from './report.ts'

/** Holds what a demo measured against what its catalog declares. */
export function judge(facts: {
  readonly layout: DemoLayout
  readonly options: DemoOptions
  readonly run: FinishedRun
  readonly rows: RowComparison
  readonly files: FileComparison
  readonly rpaMs: number | undefined
  readonly filesRpaMs: number
  readonly rtaMs: number
  readonly detectMs: number
  readonly compareMs: number
  readonly ledgerHead: string
  readonly postgres: string
}): DemoReport {
  const { layout, options, run, rows, files, rpaMs, filesRpaMs, rtaMs } = facts
  const database = recoveryVerdict({
    outcome: 'completed',
    declared: declaredOf('database'),
    rpaMs,
    rtaMs,
    checks: rows.acknowledged,
    // Asynchronously, the newest rows may be lost within the RPO. What was promised to be safe, and what came back wrong, may not.
    checksFailed: rows.damaged + (options.synchronous ? rows.lost : 0),
  })
  const folder = recoveryVerdict({
    outcome: 'completed',
    declared: declaredOf('files'),
    rpaMs: filesRpaMs,
    rtaMs,
    checks: files.expected,
    checksFailed: files.lost.length,
  })
  const { prepare, restore, replay, verify } = run.outcome.timing.phases
  const phases = {
    detectMs: facts.detectMs,
    prepareMs: prepare,
    restoreMs: restore,
    replayMs: replay,
    verifyMs: verify + facts.compareMs,
  }
  return {
    verdict: [database.verdict, folder.verdict].find((verdict) => verdict !== 'met') ?? 'met',
    rpoSeconds: rpaMs === undefined ? null : seconds(rpaMs),
    rtoSeconds: seconds(rtaMs),
    rowsAcknowledged: rows.acknowledged,
    rowsLost: rows.lost,
    filesLost: files.lost.length,
    repository: layout.repository,
    passwordFile: layout.passwordFile,
    ledgerHead: facts.ledgerHead,
    objectives: [
      objective(demoServices.database, 'rpo', database.rpo),
      objective(demoServices.database, 'rto', database.rto),
      objective(demoServices.files, 'rpo', folder.rpo),
      objective(demoServices.files, 'rto', folder.rto),
    ],
    rows,
    files,
    phases: { ...phases, otherMs: Math.max(0, rtaMs - sum(Object.values(phases))) },
    postgres: facts.postgres,
    synchronous: options.synchronous,
    runId: run.runId,
    catalog: layout.catalog,
    directory: layout.root,
    kept: options.keep !== undefined,
  }
}

function declaredOf(kind: keyof typeof demoObjectives) {
  const { rpo, rto } = demoObjectives[kind]
  return { rpoMs: parseDuration(rpo), rtoMs: parseDuration(rto) }
}

function objective(service: string, name: DemoObjective['objective'], judged: RecoveryObjective): DemoObjective {
  const { declaredMs = 0, actualMs, verdict } = judged
  return { service, objective: name, declaredMs, verdict, ...(actualMs === undefined ? {} : { actualMs }) }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Milliseconds to seconds, to the millisecond. */
function seconds(ms: number): number {
  return Math.round(ms) / 1000
}
