import type { EvidenceBody } from '../../src/ledger/index.ts'

/** What a backup puts on record. `snapshot` tells records apart. */
export function backupBody(snapshot: string): EvidenceBody<'backup'> {
  return {
    source: 'files',
    repository: 'nas',
    snapshot,
    snapshotTime: '2026-01-02T03:04:05.000Z',
    sizeBytes: 10,
    files: 1,
    addedBytes: 10,
    durationMs: 12.5,
    skipped: 0,
  }
}

/** What a completed recovery that compared something puts on record. */
export function recoveryBody(runId: string, changes: Partial<EvidenceBody<'recovery'>> = {}): EvidenceBody<'recovery'> {
  return {
    runId,
    plan: 'failover',
    planHash: 'a'.repeat(64),
    mode: 'real',
    outcome: 'completed',
    target: { kind: 'latest' },
    rpaMs: 1000,
    rtaMs: 60_000,
    declared: {},
    phases: {},
    compared: { checks: 3, checksFailed: 0 },
    verdict: 'met',
    ...changes,
  }
}
