import pc from 'picocolors'
import type { CheckFinding, CheckProgress, CheckReport } from '../../../backup/index.ts'
import { formatDuration, formatSize, shortId } from '../../../kernel/index.ts'

const phases: Readonly<Record<CheckProgress['phase'], string>> = {
  indexes: 'indexes',
  snapshots: 'snapshots',
  packs: 'packs read',
  areas: 'WAL, ledger and catalogs read',
  affected: 'snapshots searched for what is lost',
}

export function progressText({ phase, done, total, bytesDone, bytesTotal, etaMs }: CheckProgress): string {
  const bytes = bytesDone === undefined || !bytesTotal ? '' : `, ${formatSize(bytesDone)} of ${formatSize(bytesTotal)}`
  const left = etaMs === undefined || etaMs < 1000 ? '' : `, ${formatDuration(etaMs)} left`
  return `${done} of ${total} ${phases[phase]}${bytes}${left}`
}

export function reportText(report: CheckReport): string {
  const { findings, ok, depth, snapshots, trees, indexes, packs, blobs, areaObjects, readBytes, durationMs } = report
  const errors = findings.filter(({ severity }) => severity === 'error')
  const notes = findings.filter(({ severity }) => severity === 'note')
  const read =
    depth === 'data'
      ? [`read     ${formatSize(readBytes)} in ${packs} packs and ${areaObjects} objects of Holdfast's own`]
      : ['read     not the data itself: --read-data does']
  return [
    ...errors.map((finding) => `${pc.red('error')}    ${findingText(finding)}`),
    ...noteLines(notes),
    `checked  ${snapshots} snapshots, ${trees} trees, ${blobs} blobs, ${packs} packs, ${indexes} indexes in ${formatDuration(durationMs)}`,
    ...read,
    ok
      ? pc.green('no errors were found')
      : pc.red(errors.length === 1 ? '1 error was found' : `${errors.length} errors were found`),
  ].join('\n')
}

/** Packs that nothing refers to are usual after an interrupted backup: one line for all. */
function noteLines(notes: readonly CheckFinding[]): string[] {
  const residue = notes.filter((note) => note.code === 'pack-unreferenced')
  const bytes = residue.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const others = notes.filter(({ code }) => code !== 'pack-unreferenced')
  const text =
    residue.length === 1 && residue[0]
      ? `nothing refers to pack ${shortId(residue[0].pack)} (${formatSize(bytes)}): left by an interrupted backup, or by one that runs now`
      : `nothing refers to ${residue.length} packs (${formatSize(bytes)}): left by interrupted backups, or by one that runs now`
  return [...(residue.length > 0 ? [`note     ${text}`] : []), ...others.map((note) => `note     ${findingText(note)}`)]
}

/** One finding in one line, and what it does to the snapshots below it. */
export function findingText(finding: CheckFinding): string {
  const affected = 'snapshots' in finding ? affectedText(finding) : ''
  return `${whatText(finding)}${affected}`
}

type Wording = { readonly [Code in CheckFinding['code']]: (finding: Extract<CheckFinding, { code: Code }>) => string }

const wording: Wording = {
  'nothing-checked': () => 'the repository holds no snapshot: nothing was checked, and nothing could be restored',
  'index-unreadable': (finding) => `index ${shortId(finding.index)} cannot be used: ${finding.reason}`,
  'index-contradicts': (finding) =>
    `index ${shortId(finding.index)} and another one list different blobs for pack ${shortId(finding.pack)}`,
  'snapshot-unreadable': (finding) => `snapshot ${shortId(finding.snapshot)} cannot be used: ${finding.reason}`,
  'snapshot-in-future': (finding) =>
    `snapshot ${shortId(finding.snapshot)} is dated in the future (${finding.time}): the clock of its host ran ahead`,
  'pack-missing': (finding) => `pack ${finding.pack} is missing`,
  'pack-size': (finding) => `pack ${finding.pack} has ${finding.sizeBytes} bytes instead of ${finding.expectedBytes}`,
  'pack-damaged': (finding) => `pack ${finding.pack} is damaged: ${finding.reasons.slice(0, 5).join('; ')}`,
  'blob-missing': (finding) => `${finding.type} blob ${finding.blob} is in no pack`,
  'tree-malformed': (finding) => finding.reason,
  'area-object-damaged': (finding) => `${finding.object} is damaged: ${finding.reason}`,
  'pack-unreferenced': (finding) => `nothing refers to pack ${shortId(finding.pack)} (${formatSize(finding.sizeBytes)})`,
  leftover: (finding) =>
    `${finding.file} (${formatSize(finding.sizeBytes)}) was left half-written by a process that died: prune and unlock remove it`,
  'pack-mixed': (finding) => `pack ${shortId(finding.pack)} holds trees and data together, which makes it slow`,
  'read-unstable': (finding) =>
    `pack ${shortId(finding.pack)} was read wrong once and right the second time: the storage may be failing`,
}

function whatText(finding: CheckFinding): string {
  return (wording[finding.code] as (finding: CheckFinding) => string)(finding)
}

function affectedText({
  snapshots,
  paths,
}: {
  readonly snapshots: readonly string[]
  readonly paths: readonly string[]
}): string {
  if (snapshots.length === 0) return '\n         no snapshot needs what is lost'
  const names = `${snapshots.slice(0, 8).map(shortId).join(', ')}${snapshots.length > 8 ? `, … (${snapshots.length})` : ''}`
  const some = paths.slice(0, 5).map((path) => `\n         lost in them: ${path}`)
  return `\n         affected ${snapshots.length === 1 ? 'snapshot' : 'snapshots'}: ${names}${some.join('')}`
}
