import { holdsData } from '../holds-data.ts'
import type { Catalog, RepositoryEntry, Service } from '../types.ts'
import type { Lint, LintFinding } from './lint.ts'

/** Services that hold data, with where it is backed up to. */
function protectedServices({ services, repositories }: Catalog): { service: Service; copies: RepositoryEntry[] }[] {
  return Object.values(services)
    .filter(holdsData)
    .map((service) => ({ service, copies: (service.backup?.to ?? []).flatMap((name) => repositories[name] ?? []) }))
}

function about(service: Service, message: string): LintFinding[] {
  return [{ path: ['services', service.name, 'backup', 'to'], message: `${service.name}: ${message}` }]
}

/** Where copies are: the 3-2-1-1-0 rule, as far as a catalog can break it. */
export const copyLints: readonly Lint[] = [
  {
    code: 'no-backup',
    title: 'a service holds data and is not backed up',
    why: 'What is lost stays lost. Replication is no backup: it repeats what was deleted by mistake.',
    mend: 'Say where it goes with `backup: { to: … }`.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) =>
        copies.length === 0
          ? [{ path: ['services', service.name, 'data'], message: `${service.name} holds data, and nothing backs it up` }]
          : [],
      ),
  },
  {
    code: 'one-copy',
    title: 'data is backed up to one repository only',
    why: 'The rule is three copies, with the original as one of them: a disk that dies with the server leaves nothing.',
    mend: 'Add a repository elsewhere to `backup.to`; `holdfast copy` fills it.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) =>
        copies.length === 1 ? about(service, `its only copy is in ${copies[0]?.name}`) : [],
      ),
  },
  {
    code: 'no-off-site-copy',
    title: 'all copies of some data stand where the service itself stands',
    why: 'Fire, water, an account that is closed: what takes the site takes them all.',
    mend: 'Add a repository at another site, one that shares neither power, nor network, nor account.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) =>
        copies.length > 0 && copies.every(({ site }) => site === service.site)
          ? about(service, `every copy is at ${service.site}, as the service is`)
          : [],
      ),
  },
  {
    code: 'one-account',
    title: 'all copies of some data are under the account that the service itself is under',
    why: 'An account that is closed, locked or taken over takes all of its sites.',
    mend: 'Keep one copy under another account (`account` of its site), which nobody can reach with the first one’s credentials.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) => {
        const account = catalog.sites[service.site]?.account
        const isElsewhere = copies.some(({ site }) => site !== service.site)
        return account !== undefined && isElsewhere && copies.every(({ site }) => catalog.sites[site]?.account === account)
          ? about(service, `every copy is under the account ${account}, as the service is`)
          : []
      }),
  },
  {
    code: 'one-medium',
    title: 'all copies of some data are on one kind of medium',
    why: 'What breaks one (a firmware, a driver, a bug of the object storage) breaks the others too.',
    mend: 'Keep one of them on another medium. Where all are disks of different make and age, this may be left.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) =>
        copies.length > 1 && new Set(copies.map(({ media }) => media)).size === 1
          ? about(service, `every copy is on ${copies[0]?.media}`)
          : [],
      ),
  },
  {
    code: 'no-immutable-copy',
    title: 'no copy of some data is protected from being deleted',
    why: 'Whoever takes over the service deletes its backups first.',
    mend: 'Keep one copy where the storage itself refuses to delete, and say for how long with `immutableFor`.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) =>
        copies.length > 0 && copies.every(({ immutableForMs }) => immutableForMs === undefined)
          ? about(service, 'every copy can be deleted by who can write it')
          : [],
      ),
  },
  {
    code: 'shared-password',
    title: 'all copies of some data are opened by one and the same password',
    why: 'When it is lost, so are all of them; when it leaks, all can be read.',
    mend: 'Give the copy elsewhere a password of its own, kept elsewhere.',
    find: (catalog) =>
      protectedServices(catalog).flatMap(({ service, copies }) =>
        copies.length > 1 && new Set(copies.map(({ password }) => JSON.stringify(password))).size === 1
          ? about(service, 'every copy has the same password')
          : [],
      ),
  },
  {
    code: 'unused-repository',
    title: 'no service is backed up to a repository',
    why: 'It looks like a copy, and holds nothing new.',
    mend: 'Name it in `backup.to` of a service, or remove it.',
    find: ({ services, repositories }) => {
      const used = new Set(Object.values(services).flatMap(({ backup }) => backup?.to ?? []))
      return Object.keys(repositories).flatMap((name) =>
        used.has(name) ? [] : [{ path: ['repositories', name], message: `nothing is backed up to ${name}` }],
      )
    },
  },
]
