import { formatDuration, formatSize, shortId } from '../../../kernel/index.ts'
import type { LedgerFinding, LedgerRecord, LedgerVerification } from '../../../ledger/index.ts'
import { counted } from '../../output/counted.ts'

const alteredBecause = {
  'does-not-authenticate': 'its object does not authenticate: it was damaged, or written without the repository’s key',
  'not-json': 'its object holds no JSON',
  'not-canonical': 'its text is not in the one form that a record has',
  'not-a-record': 'its object holds something else than a record',
  'next-disagrees': 'it is not the record that the next one was written after',
  'not-first': 'it says that there was a record before the first',
} as const

/** One line for people about what is wrong. */
export function findingText(finding: LedgerFinding): string {
  switch (finding.code) {
    case 'altered':
      return `record ${finding.seq} was altered: ${alteredBecause[finding.because]}`
    case 'missing':
      return finding.from === finding.to
        ? `record ${finding.from} is missing`
        : `records ${finding.from} to ${finding.to} are missing`
    case 'reordered':
      return `the place of record ${finding.seq} holds record ${finding.recordSeq}`
    case 'duplicated':
      return `the place of record ${finding.seq} holds a copy of record ${finding.of}`
    case 'foreign':
      return `'${finding.name}' is no object of a ledger`
    case 'forked':
      return `the place of record ${finding.seq} has two, of which one is packed with others`
    case 'truncated':
      return `the record ${shortId(finding.head)}${finding.seq === undefined ? '' : `, number ${finding.seq},`} that ${knownTo(finding)} is gone; the newest is ${finding.newest === 0 ? 'none' : `number ${finding.newest}`}`
    case 'wrong-signature':
      return `record ${finding.seq} was not signed by the key that it names`
    case 'unsigned':
      return `record ${finding.seq} is unsigned, and stands behind signed ones`
    case 'unknown-key':
      return `${counted(finding.records, 'record')} from ${finding.seq} on ${finding.records === 1 ? 'is' : 'are'} signed by ${finding.key}, which the catalog does not name`
    case 'other-ledger':
      return `record ${finding.seq} was signed for another ledger, ${shortId(finding.ledger)}`
    case 'writer-gap':
      return `records ${finding.from} to ${finding.to} by ${finding.key} are missing before record ${finding.seq}`
    case 'writer-fork':
      return `record ${finding.seq} is another ${finding.n === 0 ? 'first one' : `number ${finding.n}`} by ${finding.key}: its past was written anew`
    default:
      return `in the place of record ${finding.seq}, which ${knownTo(finding)} as ${shortId(finding.head)}, stands another one`
  }
}

function knownTo({ knownTo: ledger }: { readonly knownTo?: string }): string {
  return ledger === undefined ? 'was known' : `the ledger ${shortId(ledger)} names`
}

/** What a record says, in one line. */
export function recordText(record: LedgerRecord): string {
  switch (record.kind) {
    case 'backup': {
      const { snapshot, sizeBytes, files, addedBytes, durationMs, skipped, copiedFrom } = record.body
      const lacking = skipped > 0 ? `, ${skipped} skipped` : ''
      if (copiedFrom !== undefined)
        return `snapshot ${shortId(snapshot)}: copied from ${shortId(copiedFrom.snapshot)} in ${copiedFrom.repository}, ${counted(files, 'file')}, ${formatSize(sizeBytes)}${lacking}`
      return `snapshot ${shortId(snapshot)}: ${counted(files, 'file')}, ${formatSize(sizeBytes)}, ${formatSize(addedBytes)} new, in ${formatDuration(durationMs)}${lacking}`
    }
    case 'wal': {
      const { event, flushedLsn, timeline, gap, forkLsn } = record.body
      if (gap) return `missing from ${gap.from} to ${gap.to} on timeline ${timeline}`
      if (forkLsn !== undefined) return `following timeline ${timeline} from ${forkLsn}`
      return `receiver ${event}, stored up to ${flushedLsn} on timeline ${timeline}`
    }
    case 'restore': {
      const { snapshot, files, sizeBytes, durationMs, verifiedFiles, partial } = record.body
      return `${partial === true ? 'part of ' : ''}snapshot ${shortId(snapshot)}: ${counted(files, 'file')}, ${formatSize(sizeBytes)}, in ${formatDuration(durationMs)}, ${verifiedFiles} compared`
    }
    case 'recovery': {
      const { plan, mode, form, restoreFrom, outcome, rpaMs, rtaMs, verdict } = record.body
      const figures = `lost ${duration(rpaMs)}, took ${duration(rtaMs)}`
      return `${mode === 'real' ? '' : `${mode} of `}${plan}${form === 'disaster' ? ' in its disaster form' : ''}${restoreFrom === undefined ? '' : ` from ${restoreFrom}`} ${outcome}: ${figures}, objectives ${verdict}`
    }
    case 'drill-finding':
      return `${record.body.finding} ${record.body.state} by ${record.body.by}: ${record.body.why}`
    case 'experiment': {
      const { experiment, environment, verdict, because, recoveryMs, faults } = record.body
      const back = recoveryMs === undefined || recoveryMs === 0 ? '' : `, back after ${formatDuration(recoveryMs)}`
      const why = because[0] === undefined ? '' : `: ${because[0]}`
      return `${experiment} in ${environment} (${faults.map(({ name }) => name).join(', ')}): ${verdict}${back}${why}`
    }
    case 'check': {
      const { depth, packs, snapshots, readBytes, findings } = record.body
      const found =
        findings.length === 0 ? 'no damage' : findings.map((finding) => `${finding.count} × ${finding.code}`).join(', ')
      const looked = `${counted(snapshots, 'snapshot')}, ${counted(packs, 'pack')}${depth === 'data' ? `, ${formatSize(readBytes)} read` : ''}`
      return `${looked}: ${found}`
    }
    case 'forget': {
      const { removed, rules, kept } = record.body
      const by = rules === undefined ? 'named' : `by ${rules.join(', ')}; ${kept ?? 'unknown'} kept`
      return `removed ${counted(removed.length, 'snapshot')} (${by}): ${removed.map(({ snapshot }) => shortId(snapshot)).join(', ')}`
    }
    case 'attestation': {
      const { item, by, expiresAt, note } = record.body
      return `${item} by the word of ${by}, until ${expiresAt.slice(0, 10)}${note === undefined ? '' : `: ${note}`}`
    }
    case 'prune': {
      const { freedBytes, removedPacks, repackedPacks, snapshots } = record.body
      const packs = `${counted(removedPacks, 'pack')} removed, ${repackedPacks} written anew`
      return `freed ${formatSize(freedBytes)} beside ${counted(snapshots, 'snapshot')}: ${packs}`
    }
    default:
      return `(${record.originalKind}: written by a newer version)`
  }
}

function duration(ms: number | undefined): string {
  return ms === undefined ? 'unknown' : formatDuration(ms)
}

/** Who signed how much of a ledger. */
export function signaturesText({ signatures, writers }: Pick<LedgerVerification, 'signatures' | 'writers'>): string[] {
  const { unsigned } = signatures
  return [
    ...writers.map(
      ({ key, name, host, records }) =>
        `signed: ${counted(records, 'record')} by ${name ?? 'a key without a name'} (${key}, on ${host})`,
    ),
    ...(unsigned === 0 ? [] : [`unsigned: ${counted(unsigned, 'record')}`]),
  ]
}
