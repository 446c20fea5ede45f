import { parseDuration } from '../kernel/index.ts'
import { buildDetection, buildHealth, buildObserver } from './build-detection.ts'
import { buildExperiment } from './build-experiment.ts'
import { buildSteps } from './build-steps.ts'
import { buildSecret, fromDirectory } from './build-secret.ts'
import { durationOf, present } from './present.ts'
import { buildStrategies } from './strategies.ts'
import { tryParseSchedule } from './schedule.ts'
import type { CatalogFile } from './schema.ts'
import type * as catalog from './types.ts'
import { buildDrill } from './build-drill.ts'

type FileOf<Section extends 'repositories' | 'services' | 'plans'> = CatalogFile[Section][string]

/** A checked file as the rest of the house sees it: units as numbers, names in their entries, paths absolute. */
export function buildCatalog(
  file: CatalogFile,
  at: { readonly file: string; readonly directory: string; readonly hash: string },
): catalog.Catalog {
  return deepFreeze({
    file: at.file,
    hash: at.hash,
    name: file.name,
    sites: mapEntries(file.sites, (site, name) => present({ name, ...site })),
    repositories: mapEntries(file.repositories, (repository, name) => buildRepository(repository, name, at.directory)),
    clusters: mapEntries(file.clusters, ({ kubeconfig, ...cluster }, name) =>
      present({ name, ...cluster, kubeconfig: buildSecret(kubeconfig, at.directory) }),
    ),
    currency: file.currency,
    strategies: buildStrategies(file.strategies),
    services: mapEntries(file.services, (service, name) => buildService(service, name, at.directory)),
    external: mapEntries(file.external, ({ assumed, ...entry }, name) =>
      present({ name, ...entry, assumed: present({ rpoMs: durationOf(assumed.rpo), rtoMs: durationOf(assumed.rto) }) }),
    ),
    observers: mapEntries(file.observers, (observer, name) => buildObserver(observer, name, at.directory)),
    plans: mapEntries(file.plans, (plan, name) => buildPlan(plan, name, file, at.directory)),
    accepted: file.accepted.map(present),
    chaos: buildChaos(file.chaos),
    experiments: mapEntries(file.experiments, (experiment, name) => buildExperiment(experiment, name, at.directory)),
  })
}

function buildChaos({ peak, windows, ...rest }: CatalogFile['chaos']): catalog.Catalog['chaos'] {
  return present({ ...rest, peak: peak?.map(present), windows: windows?.map(present) })
}

function buildRepository(entry: FileOf<'repositories'>, name: string, directory: string): catalog.RepositoryEntry {
  const { immutableFor, password, ...rest } = entry
  return present({
    name,
    ...rest,
    location: isPath(entry.url) ? fromDirectory(directory, entry.url) : entry.url,
    password: buildSecret(password, directory),
    immutableForMs: durationOf(immutableFor),
  })
}

function buildService(entry: FileOf<'services'>, name: string, directory: string): catalog.Service {
  const { objectives, data, health, backup, verify, ...rest } = entry
  return present({
    name,
    ...rest,
    objectives: { rpoMs: parseDuration(objectives.rpo), rtoMs: parseDuration(objectives.rto) },
    data: data === undefined ? {} : buildData(data, directory),
    health: health && buildHealth(health),
    backup: backup && buildBackup(backup),
    verify:
      verify &&
      present({
        check: scheduleOf(verify.check),
        restoreTest: scheduleOf(verify.restoreTest),
        assert: (verify.assert ?? []).map(present),
      }),
  })
}

function buildData({ postgres, files }: NonNullable<FileOf<'services'>['data']>, directory: string): catalog.ServiceData {
  return present({
    postgres:
      postgres &&
      present({
        ...withoutPlace(postgres),
        ...buildPlace(postgres, directory),
        standbys: mapEntries(postgres.standbys, (standby, name) =>
          present({ name, ...withoutPlace(standby), ...buildPlace(standby, directory) }),
        ),
      }),
    files,
  })
}

type FilePlace = Pick<NonNullable<NonNullable<FileOf<'services'>['data']>['postgres']>, 'url' | 'replicationUrl' | 'settings'>

function withoutPlace<T extends FilePlace>({ url: _url, replicationUrl: _other, settings: _settings, ...rest }: T) {
  return rest
}

function buildPlace({ url, replicationUrl, settings }: FilePlace, directory: string) {
  return present({
    url: buildUrl(url, directory),
    replicationUrl: replicationUrl === undefined ? undefined : buildUrl(replicationUrl, directory),
    settings: mapEntries(settings, String),
  })
}

function buildUrl(url: FilePlace['url'], directory: string): string | catalog.SecretRef {
  return typeof url === 'string' ? url : buildSecret(url, directory)
}

function buildBackup({ schedule, full, keep, to, tags }: NonNullable<FileOf<'services'>['backup']>): catalog.BackupPolicy {
  const { within, ...counts } = keep ?? {}
  return present({
    to: typeof to === 'string' ? [to] : to,
    tags,
    schedule: scheduleOf(schedule),
    full: scheduleOf(full),
    keep: keep && present({ ...counts, withinMs: durationOf(within) }),
  })
}

function buildPlan(entry: FileOf<'plans'>, name: string, file: CatalogFile, directory: string): catalog.Plan {
  const health = entry.recovers.flatMap((service) => file.services[service]?.health ?? [])
  const { params, commit, ...rest } = entry
  return present({
    ...rest,
    name,
    environment: entry.environment ?? file.name,
    detection: entry.detection && buildDetection(entry.detection, directory, health),
    commit: commit && { withinMs: parseDuration(commit.within), else: commit.else },
    ...buildSteps(name, file.plans),
    drill: entry.drill && buildDrill(entry.drill),
    openParams: Object.keys(params).filter((param) => params[param]?.default === undefined),
  })
}

/** Anything but `scheme:…`; a single letter before the colon is a Windows drive. */
function isPath(url: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:/i.test(url)
}

function scheduleOf(text: string | undefined): catalog.Schedule | undefined {
  return text === undefined ? undefined : tryParseSchedule(text)
}

/** Without a prototype: a service may be called `constructor`. */
function mapEntries<T, U>(entries: Readonly<Record<string, T>>, map: (value: T, name: string) => U): Readonly<Record<string, U>> {
  return Object.assign(
    Object.create(null) as Record<string, U>,
    Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, map(value, name)])),
  )
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
