import { parseDuration } from '../kernel/index.ts'
import { buildDetection, buildObserver } from './build-detection.ts'
import { buildExperiment } from './build-experiment.ts'
import type { CatalogSource } from './catalog-source.ts'
import { buildSteps, usedPlans } from './build-steps.ts'
import { buildSecret, fromDirectory } from './build-secret.ts'
import { buildService } from './build-service.ts'
import { mapEntries } from './map-entries.ts'
import { contactOf } from './build-people.ts'
import { durationOf, present } from './present.ts'
import { buildStrategies } from './strategies.ts'
import type { CatalogFile } from './schema.ts'
import { drillsByTier } from './build-tiers.ts'
import type * as catalog from './types.ts'
import { buildDrill } from './build-drill.ts'

type FileOf<Section extends 'repositories' | 'groups' | 'plans'> = CatalogFile[Section][string]

/** A checked file as the rest of the house sees it: units as numbers, names in their entries, paths absolute. */
export function buildCatalog(
  file: CatalogFile,
  at: { readonly file: string; readonly source: CatalogSource; readonly hash: string },
): catalog.Catalog {
  const folder = (section: string, name: string) => at.source.directoryOf(section, name)
  const services = mapEntries(file.services, (service, name) => buildService(service, name, file, folder('services', name)))
  return deepFreeze({
    file: at.file,
    files: at.source.parts.map((part) => part.file),
    hash: at.hash,
    name: file.name,
    sites: mapEntries(file.sites, (site, name) => present({ name, ...site })),
    repositories: mapEntries(file.repositories, (repository, name) =>
      buildRepository(repository, name, folder('repositories', name)),
    ),
    clusters: mapEntries(file.clusters, ({ kubeconfig, ...cluster }, name) =>
      present({ name, ...cluster, kubeconfig: buildSecret(kubeconfig, folder('clusters', name)) }),
    ),
    currency: file.currency,
    strategies: buildStrategies(file.strategies),
    contacts: mapEntries(file.contacts, (contact, name) => present({ name, ...contact })),
    runners: mapEntries(file.runners, (runner, name) => present({ name, ...runner })),
    tiers: mapEntries(file.tiers, ({ description, objectives }, name) =>
      present({ name, description, rpoMs: durationOf(objectives?.rpo), rtoMs: durationOf(objectives?.rto) }),
    ),
    services,
    groups: mapEntries(file.groups, (group, name) => buildGroup(group, name, services)),
    external: mapEntries(file.external, ({ assumed, ...entry }, name) =>
      present({
        name,
        ...entry,
        contactEntry: contactOf(file, entry.contact),
        assumed: present({ rpoMs: durationOf(assumed.rpo), rtoMs: durationOf(assumed.rto) }),
      }),
    ),
    observers: mapEntries(file.observers, (observer, name) => buildObserver(observer, name, folder('observers', name))),
    plans: mapEntries(file.plans, (plan, name) => buildPlan(plan, name, file, folder('plans', name))),
    accepted: file.accepted.map(present),
    maintenance: buildMaintenance(file.maintenance),
    chaos: buildChaos(file.chaos),
    ledger: { keys: mapEntries(file.ledger.keys, (key) => key) },
    experiments: mapEntries(file.experiments, (experiment, name) =>
      buildExperiment(experiment, name, folder('experiments', name)),
    ),
  })
}

function buildChaos({ peak, windows, ...rest }: CatalogFile['chaos']): catalog.Catalog['chaos'] {
  return present({ ...rest, peak: peak?.map(present), windows: windows?.map(present) })
}

function buildMaintenance({ timeZone, windows }: CatalogFile['maintenance']): catalog.Catalog['maintenance'] {
  return {
    timeZone,
    windows: windows.map(({ title, services, sites, environments, days, from, to, begins, ends }) => ({
      title,
      services,
      sites,
      environments,
      // Its schema allows the one or the other.
      when:
        from !== undefined && to !== undefined
          ? { kind: 'weekly', range: present({ days, from, to }) }
          : { kind: 'once', from: new Date(begins ?? NaN), to: new Date(ends ?? NaN) },
    })),
  }
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

function buildGroup(
  { rpo, spread, ...rest }: FileOf<'groups'>,
  name: string,
  services: catalog.Catalog['services'],
): catalog.Group {
  // All come back to one point: each loses what the group loses, also the one that may lose the least.
  const ofMembers = rest.members.flatMap((member) => services[member]?.objectives.rpoMs ?? [])
  return present({ name, ...rest, rpoMs: durationOf(rpo) ?? Math.min(...ofMembers), spreadMs: durationOf(spread) })
}

function buildPlan(entry: FileOf<'plans'>, name: string, file: CatalogFile, directory: string): catalog.Plan {
  const health = entry.recovers.flatMap((service) => file.services[service]?.health ?? [])
  const { params, commit, ...rest } = entry
  const uses = usedPlans(name, file.plans)
  const all = [entry, ...uses.flatMap((used) => file.plans[used] ?? [])]
  return present({
    ...rest,
    name,
    needs: [...new Set(all.flatMap(({ needs }) => needs))],
    prerequisites: [...new Set(all.flatMap(({ prerequisites }) => prerequisites))],
    uses,
    environment: entry.environment ?? file.name,
    detection: entry.detection && buildDetection(entry.detection, directory, health),
    commit: commit && { withinMs: parseDuration(commit.within), else: commit.else },
    ...buildSteps(name, file.plans),
    drill: buildPlanDrill(entry, file),
    openParams: Object.keys(params).filter((param) => params[param]?.default === undefined),
  })
}

/** Absent where neither the plan nor the tiers of its services say how it is drilled. */
function buildPlanDrill({ drill, recovers }: FileOf<'plans'>, file: CatalogFile): catalog.Plan['drill'] {
  const byTier = drillsByTier(file, recovers)
  if (drill === undefined && Object.keys(byTier).length === 0) return undefined
  return buildDrill(drill ?? { substitute: {}, approvals: 'answered', scenarios: {} }, byTier)
}

/** Anything but `scheme:…`; a single letter before the colon is a Windows drive. */
function isPath(url: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:/i.test(url)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
