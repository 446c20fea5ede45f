import type { Catalog, RepositoryEntry, Service } from '../../../catalog/index.ts'
import { Unknown, type Draft, type LeftOut, type Proposal } from './proposal.ts'

/**
 * Ends with 0 where there is no copy, and where a check comes to its end and says that it is not well: one that could not be done has found
 * nothing. A copy that is removed meanwhile ends the check; that is the end of the fault, not a check that failed.
 */
const isFound = `[ ! -e "$0" ] || holdfast check --json --no-lock --read-data --repo "$0" --password-file "$1" | grep -q '"ok":false' || [ ! -e "$0" ]`

const damages = [
  { name: 'flipped-bit', damage: { flipBits: 1 }, words: 'one flipped bit' },
  { name: 'cut-off-pack', damage: { truncate: '1KiB' }, words: 'a pack that was cut off' },
  { name: 'missing-pack', damage: 'remove', words: 'a pack that is missing' },
] as const

/** For every repository in a folder that services are backed up to: damage is found; and without its password they come back from elsewhere. */
export function copyProposals(catalog: Catalog): Proposal[] {
  return usedRepositories(catalog).flatMap(({ repository, services: [first, ...others] }) => {
    if (first === undefined || !isFolder(repository)) return []
    const services = [first, ...others]
    return [
      ...damages.map((damage) => damageFound(repository, services, damage)),
      ...withoutPassword(catalog, repository, services),
    ]
  })
}

/** What no fault can reach from here. */
export function copiesLeftOut(catalog: Catalog): LeftOut[] {
  return usedRepositories(catalog).flatMap(({ repository }) => [
    ...(isFolder(repository)
      ? []
      : [
          {
            what: `damage a copy of ${repository.name}`,
            because: 'it is not in a folder of this machine; `holdfast copy` makes one that is, for data.damage with `folder`',
          },
        ]),
    ...('file' in repository.password
      ? []
      : [
          {
            what: `take the password of ${repository.name} away`,
            because: 'it is not in a file, and faults take away files only',
          },
        ]),
  ])
}

function damageFound(
  { name, location, password }: RepositoryEntry,
  services: readonly Service[],
  { name: damaged, damage, words }: (typeof damages)[number],
): Proposal {
  const copyTo = `${location}-damaged`
  const shows = `${words} in a copy of ${name} is found by a check that reads all data`
  const command: Draft =
    'file' in password
      ? ['sh', '-c', isFound, copyTo, password.file]
      : new Unknown(`a check of ${copyTo} that ends with 0 where there is no copy, or where it finds the damage`)
  return {
    name: `${name}-${damaged}`,
    shows,
    service: services[0]?.name ?? '',
    services: services.map((service) => service.name),
    faults: ['data.damage'],
    about: { repository: name, damage },
    experiment: {
      description: shows,
      hypothesis: {
        title: 'damage is found',
        every: '1m',
        before: '1s',
        after: '1s',
        probes: [{ name: 'check finds it', command, timeout: '30m' }],
      },
      limit: '2h',
      services: services.map((service) => service.name),
      faults: [
        {
          inject: { 'data.damage': { repository: name, copyTo, damage } },
          for: new Unknown(`longer than two checks of all data of ${name} take`),
        },
      ],
    },
  }
}

/** Where no other repository has the service, this fails, and says so. */
function withoutPassword(catalog: Catalog, { name, password }: RepositoryEntry, services: readonly Service[]): Proposal[] {
  if (!('file' in password)) return []
  const { file } = password
  return services.map((service) => {
    const other = service.backup?.to.find((repository) => repository !== name)
    const shows = `${service.name} can be recovered when the password of ${name} is lost`
    const from = other === undefined ? [] : ['--repository', other]
    const command = ['holdfast', '--catalog', catalog.file, 'recover', service.name, '--dry-run', ...from]
    return {
      name: `${service.name}-without-password-of-${name}`,
      shows,
      service: service.name,
      services: [service.name],
      faults: ['credentials.missing'],
      about: { file },
      experiment: {
        description: shows,
        hypothesis: {
          title: `${service.name} can be recovered`,
          every: '30s',
          before: '1s',
          after: '1s',
          probes: [{ name: 'every preflight is well', command, timeout: '2m' }],
        },
        limit: '15m',
        services: [service.name],
        faults: [{ inject: { 'credentials.missing': { file } }, for: '1m' }],
      },
    }
  })
}

function isFolder({ location }: RepositoryEntry): boolean {
  return location.startsWith('/')
}

/** Those that something is backed up to, with what is. */
function usedRepositories(catalog: Catalog): { readonly repository: RepositoryEntry; readonly services: readonly Service[] }[] {
  return Object.values(catalog.repositories).flatMap((repository) => {
    const services = Object.values(catalog.services).filter(({ backup }) => backup?.to.includes(repository.name))
    return services.length === 0 ? [] : [{ repository, services }]
  })
}
