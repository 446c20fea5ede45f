import { compilePlan, planHash } from '../../recovery/index.ts'
import { holdsData, type Catalog, type Service } from '../../catalog/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import type { DataEvidence, RecoveryFact, RestoreFact, ServiceEvidence, SnapshotFact, WalFact } from '../../objectives/index.ts'
import type { Snapshot } from '../../repository/index.ts'
import { experimentsByRun, recoveryShown } from '../recovery-shown.ts'
import type { RepositoryFacts, UnseenRepository } from './repository-facts.ts'
import { walFact } from './wal-facts.ts'

/** What was found in a catalog's repositories. */
export interface Findings {
  readonly catalog: Catalog
  readonly seen: readonly RepositoryFacts[]
  readonly unseen: readonly UnseenRepository[]
  readonly now: Date
  /** Plans are hashed with it. */
  readonly codeVersion: string
}

/** Everything that the repositories tell about one service. */
export async function gatherEvidence(findings: Findings, service: Service, signal?: AbortSignal): Promise<ServiceEvidence> {
  const { catalog, seen, unseen, codeVersion } = findings
  const holders = dataHolders(catalog, service)
  const data: DataEvidence[] = []
  const blind: { repository: string; because: string }[] = []
  for (const holder of holders) {
    const found = await dataEvidence(findings, holder, signal)
    data.push(...found.data)
    blind.push(...found.blind)
  }
  const wanted = new Set(holders.flatMap((holder) => repositoriesOf(catalog, holder)))
  const plan = service.recovery === undefined ? undefined : catalog.plans[service.recovery]
  return {
    data,
    ...(plan ? { planHash: planHash(compilePlan(plan), codeVersion) } : {}),
    recoveries: recoveryFacts(service, seen),
    unseen: [
      ...unseen.filter(({ name }) => wanted.has(name)).map(({ name, because }) => ({ repository: name, because })),
      ...seen.filter(({ name, damagedRecords }) => wanted.has(name) && damagedRecords.length > 0).map(damagedLedger),
      ...blind,
    ],
  }
}

function damagedLedger({ name, damagedRecords }: RepositoryFacts): { repository: string; because: string } {
  return { repository: name, because: `${damagedRecords.length} records of its ledger are damaged` }
}

/** The service itself when it holds data, else those that it depends on: what it would lose is theirs. */
export function dataHolders(catalog: Catalog, service: Service): Service[] {
  const holders = new Map<string, Service>()
  const visited = new Set<string>()
  const visit = (current: Service) => {
    if (visited.has(current.name)) return
    visited.add(current.name)
    if (holdsData(current)) {
      holders.set(current.name, current)
      return
    }
    for (const name of current.dependsOn) {
      const dependency = catalog.services[name]
      if (dependency) visit(dependency)
    }
  }
  visit(service)
  return [...holders.values()]
}

/** Where a service is backed up to; any repository may hold it when the catalog does not say. */
export function repositoriesOf(catalog: Catalog, { backup }: Service): readonly string[] {
  return backup && backup.to.length > 0 ? backup.to : Object.keys(catalog.repositories)
}

async function dataEvidence(
  { catalog, seen, now }: Findings,
  service: Service,
  signal?: AbortSignal,
): Promise<{ data: DataEvidence[]; blind: { repository: string; because: string }[] }> {
  const { postgres, files } = service.data
  const allowed = repositoriesOf(catalog, service)
  const repositories = seen.filter(({ name }) => allowed.includes(name))
  const data: DataEvidence[] = []
  const blind: { repository: string; because: string }[] = []
  if (postgres) {
    const walDeclared = postgres.wal !== 'none'
    const own = (facts: RepositoryFacts) => facts.snapshotsOf(`/postgres/${service.name}`)
    const part = partEvidence(service, 'postgres', own, repositories)
    const wal: WalFact[] = []
    for (const facts of walDeclared ? repositories : []) {
      const found = await walFact(facts, service.name, own(facts), now, signal)
      if (found && 'fact' in found) wal.push(found.fact)
      else if (found) blind.push({ repository: facts.name, because: found.problem })
    }
    data.push({ ...part, walDeclared, wal })
  }
  if (files) {
    const [first = '', ...others] = files.paths
    const own = (facts: RepositoryFacts) =>
      facts.snapshotsOf(first).filter((snapshot) => others.every((path) => snapshot.paths.includes(path)))
    data.push(partEvidence(service, 'files', own, repositories))
  }
  return { data, blind }
}

function partEvidence(
  service: Service,
  kind: 'postgres' | 'files',
  own: (facts: RepositoryFacts) => readonly Snapshot[],
  repositories: readonly RepositoryFacts[],
): DataEvidence {
  const snapshots: SnapshotFact[] = []
  const restores: RestoreFact[] = []
  for (const facts of repositories) {
    const mine = own(facts).filter((snapshot) => !isOfAnother(facts, snapshot, service.name))
    snapshots.push(...mine.map((snapshot) => snapshotFact(facts, snapshot)))
    const ids = new Set(mine.flatMap(({ id }) => [id, ...(facts.origins.get(id)?.formerIds ?? [])]))
    const about = new Set([...facts.restoresOf(service.name), ...[...ids].flatMap(facts.restoresFrom)])
    const ofThis = [...about].filter((record) => isRestoreOf(record, service.name, kind, ids))
    restores.push(...ofThis.toSorted((a, b) => b.seq - a.seq).map(restoreFact(facts.name)))
  }
  const recoveries = recoveryFacts(service, repositories)
  return { service: service.name, kind, walDeclared: false, snapshots, wal: [], restores, recoveries }
}

/** The same paths on another host may be another service's, which the ledger or a tag says. One made by restic says neither. */
function isOfAnother(facts: RepositoryFacts, { id, tags = [] }: Snapshot, service: string): boolean {
  const recorded = facts.origins.get(id)?.backup.service
  const tagged = tags.filter((tag) => tag.startsWith('service:'))
  return (recorded !== undefined && recorded !== service) || (tagged.length > 0 && !tagged.includes(`service:${service}`))
}

function isRestoreOf(
  { service, body }: EvidenceRecord<'restore'>,
  name: string,
  source: string,
  snapshots: ReadonlySet<string>,
): boolean {
  // A part that came back, or one with losses, is no proof of the whole.
  if (body.partial === true || body.skipped > 0) return false
  // A snapshot that was forgotten since is recognised by what the record says of it.
  return snapshots.has(body.snapshot) || (service === name && body.source === source)
}

function snapshotFact(facts: RepositoryFacts, { id, timeMs, summary }: Snapshot): SnapshotFact {
  const { backup, formerIds = [], arrival } = facts.origins.get(id) ?? {}
  const sizeBytes = backup?.body.sizeBytes ?? summary?.total_bytes_processed
  return {
    repository: facts.name,
    snapshot: id,
    time: new Date(timeMs),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(formerIds.length === 0 ? {} : { formerIds }),
    ...(arrival ? { arrived: { time: arrival.time, seq: arrival.seq } } : {}),
    ...(backup ? { skipped: backup.body.skipped, record: { repository: facts.name, seq: backup.seq } } : {}),
    damaged: facts.standingDamage !== undefined,
  }
}

function restoreFact(repository: string): (record: EvidenceRecord<'restore'>) => RestoreFact {
  return ({ seq, time, body: { snapshot, sizeBytes, durationMs, verifiedFiles } }) => ({
    time,
    snapshot,
    sizeBytes,
    durationMs,
    verifiedFiles,
    record: { repository, seq },
  })
}

/** Runs of the service's plan, and runs that brought this service back by another. A run is in the ledger of each repository once. */
function recoveryFacts(service: Service, seen: readonly RepositoryFacts[]): RecoveryFact[] {
  const runs = new Map<string, RecoveryFact>()
  const experiments = experimentsByRun(seen.flatMap((facts) => facts.experiments))
  for (const { name, recoveriesOf } of seen) {
    const unnamed = recoveriesOf(undefined).filter(({ body }) => body.plan === service.recovery)
    for (const { seq, time, body } of [...recoveriesOf(service.name), ...unnamed]) {
      const { verdict: _verdict, ...shown } = recoveryShown(body, experiments)
      runs.set(body.runId, {
        time,
        planHash: body.planHash,
        ...drillFact(body),
        ...shown,
        ...(body.restored === undefined ? {} : { restored: body.restored }),
        record: { repository: name, seq },
      })
    }
  }
  return [...runs.values()]
}

const unproven: ReadonlySet<string> = new Set(['skipped', 'replaced', 'answered'])

/** A `drill` of the first version did not say which kind: it counts as the lesser one. */
function drillFact({ mode, drill }: EvidenceRecord<'recovery'>['body']): Pick<RecoveryFact, 'drill'> {
  if (mode === 'real') return {}
  const changes = drill?.changes.filter(({ how }) => unproven.has(how)) ?? []
  return { drill: { mode: mode === 'drill-live' ? 'live' : 'sandbox', unproven: changes.length } }
}
