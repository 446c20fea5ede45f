import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomHex, sha256Hex } from '../../src/kernel/index.ts'
import { openSigner, type EvidenceBody, type EvidenceKind } from '../../src/ledger/index.ts'
import { encodeRecord, genesis, recordName } from '../../src/ledger/record.ts'
import { segmentName, segmentOf, segmentSize } from '../../src/ledger/segments.ts'
import { createRepository, type Repository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { backupBody, recoveryBody } from '../../test/support/evidence.ts'

export const services = 1000
const dependenciesEach = 5
const snapshotsEach = 3
/** As long as 1,000 services with a backup every 8 hours take for a million records, about. */
const spanMs = 330 * 24 * 3600 * 1000

/** A catalog, a repository with snapshots and a ledger of so many signed records, as Holdfast writes them. Gives the catalog's path. */
export async function makeLedger(folder: string, records: number): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const catalog = join(folder, 'holdfast.yaml')
  writeFileSync(join(folder, 'password'), 'bench')
  const signer = await openSigner(join(folder, '.holdfast', 'ledger', 'signing-key.pem'))
  writeFileSync(catalog, catalogText(signer.key))
  await using repository = await createRepository(await openLocalBackend(join(folder, 'repository')), 'bench')
  const snapshots = await makeSnapshots(repository)
  const area = repository.area('holdfast/ledger')
  let prev = genesis
  let packed: string[] = []
  const startMs = Date.now() - spanMs
  for (let seq = 1; seq <= records; seq++) {
    const { kind, service, body } = recordAt(seq, records, snapshots)
    const time = new Date(startMs + Math.floor((seq / records) * spanMs))
    const about = { kind, service, body, time, host: 'bench', program: 'holdfast bench', catalogHash: 'c'.repeat(64) }
    const writer = { key: signer.key, n: seq, prev }
    const text = encodeRecord({ seq, prev, id: randomHex(8), ...about, ledger: repository.id, writer }, signer)
    prev = sha256Hex(text)
    packed.push(text)
    const segment = segmentOf(seq)
    if (seq === segment.to && seq <= records - segmentSize) {
      await area.put(segmentName(segment), Buffer.from(packed.map((line) => `${line}\n`).join('')))
      packed = []
    }
  }
  const first = records - packed.length + 1
  for (const [index, text] of packed.entries()) await area.put(recordName(first + index), Buffer.from(text))
  return catalog
}

function catalogText(key: string): string {
  const names = Array.from({ length: services }, (_, index) => `s${index}`)
  const dependsOn = (index: number) =>
    Array.from({ length: dependenciesEach }, (_, step) => index - (step + 1) * 7).filter((other) => other >= 0)
  return [
    'version: 1',
    'name: bench',
    'sites: { here: {}, there: {} }',
    'repositories: { nas: { url: ./repository, site: there, password: { file: ./password } } }',
    `ledger: { keys: { bench: ${key} } }`,
    'services:',
    ...names.flatMap((name, index) => [
      `  ${name}:`,
      `    owner: Team ${index % 20}`,
      `    tier: ${index % 4}`,
      '    site: here',
      '    objectives: { rpo: 1d, rto: 4h }',
      `    dependsOn: [${dependsOn(index)
        .map((other) => `s${other}`)
        .join(', ')}]`,
      `    data: { files: { paths: [/srv/${name}] } }`,
      '    backup: { schedule: every 8h, to: nas }',
    ]),
    '',
  ].join('\n')
}

/** The ids of each service's snapshots. */
async function makeSnapshots(repository: Repository): Promise<string[][]> {
  const made: string[][] = []
  for (let index = 0; index < services; index++) {
    made.push([])
    for (let age = 0; age < snapshotsEach; age++) {
      const time = new Date(Date.now() - age * 8 * 3600 * 1000).toISOString()
      const { id } = await repository.saveSnapshot({ time, tree: 'e'.repeat(64), paths: [`/srv/s${index}`], hostname: 'bench' })
      made[index]?.push(id)
    }
  }
  return made
}

interface Made {
  readonly kind: EvidenceKind
  readonly service: string
  readonly body: EvidenceBody<EvidenceKind>
}

/** Of a hundred records 91 are of backups, 3 of checks, 3 of restores and 3 of drills; the newest are of the snapshots that are there. */
function recordAt(seq: number, records: number, snapshots: readonly (readonly string[])[]): Made {
  const at = seq % services
  const service = `s${at}`
  const round = Math.floor((seq * 7) / services) % 100
  const left = records - seq
  const age = Math.floor(left / services)
  if (age < snapshotsEach) return { kind: 'backup', service, body: backupBody(snapshots[at]?.[age] ?? '') }
  if (round < 3) {
    const counts = { snapshots: 3000, packs: 100, blobs: 1000, readBytes: 1e9, durationMs: 1000 }
    return {
      kind: 'check',
      service,
      body: { repository: 'nas', depth: round === 0 ? 'data' : 'structure', ...counts, findings: [] },
    }
  }
  if (round < 6) {
    const body = { repository: 'nas', snapshot: randomHex(32), source: 'files', sizeBytes: 1e9, files: 1e4, durationMs: 6e4 }
    return { kind: 'restore', service, body: { ...body, verifiedFiles: 1e4, skipped: 0 } }
  }
  if (round < 9) return { kind: 'recovery', service, body: recoveryBody(`run-${seq}`, { mode: 'drill-sandbox', plan: `p${at}` }) }
  return { kind: 'backup', service, body: backupBody(randomHex(32)) }
}
