import { stateDirectory } from '../../kernel/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { findingsOf, type Achieved, type DrillKeeper, type DrillRun } from '../../recovery/index.ts'
import { judgeRecovery } from '../recovery/judge-recovery.ts'
import { pastStepTimes } from '../runbook/step-times.ts'
import { knownFindings, ownedFindings } from './known-findings.ts'
import { cleanUpSandbox, openSandbox, type SandboxFolder } from './sandbox.ts'

/** What is done around the drills of a catalog's plans. */
export function drillKeeper(catalog: Catalog): DrillKeeper {
  const folderOf = ({ runId, drill: { sandbox } }: DrillRun): SandboxFolder | undefined =>
    sandbox && { runId, folder: sandbox.folder, keep: sandbox.keep, stateDirectory: stateDirectory(catalog.file) }
  return {
    async open(run) {
      const folder = folderOf(run)
      if (folder !== undefined) await openSandbox(folder)
    },
    async cleanUp(run, signal) {
      const folder = folderOf(run)
      return folder === undefined ? { clean: true, stopped: [] } : await cleanUpSandbox(folder, signal)
    },
    async report({ input, drill }, outcome, cleanUp, signal) {
      const { plan } = input
      const achieved = plan.recovers.map((service): Achieved => {
        const { rpo, rto, verdict } = judgeRecovery(catalog, service, outcome)
        return { service, rpo, rto, verdict }
      })
      // A drill that was aborted, or never began, says nothing about the objectives.
      const judged = outcome.failure?.error.code === 'run-cancelled' || outcome.status === 'preflight-failed' ? [] : achieved
      const usual = await pastStepTimes(catalog, plan.name)
      const found = findingsOf({ plan: plan.name, outcome, changes: drill.changes, achieved: judged, cleanUp, usual })
      const known = await knownFindings(catalog, plan.name, signal)
      const findings = ownedFindings(found, known, {
        ...drill.findings,
        planHash: drill.planHash,
        now: new Date(outcome.timing.endedAt),
      })
      return { mode: drill.mode, achieved, findings, ...(cleanUp === undefined ? {} : { cleanUp }) }
    },
  }
}
