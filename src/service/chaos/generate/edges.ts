import { isIP } from 'node:net'
import type { Catalog, Service } from '../../../catalog/index.ts'
import { writeDuration } from '../../../kernel/index.ts'
import { frameOf, Unknown, type Draft, type Proposal } from './proposal.ts'

/** For everything that a service depends on: it fails, it is slow, it is cut off. */
export function edgeProposals(catalog: Catalog): Proposal[] {
  return Object.values(catalog.services).flatMap((service) =>
    service.dependsOn.flatMap((name) => {
      const other = catalog.services[name]
      return [...(other === undefined ? [] : [fails(service, other)]), slow(service, name), cutOff(catalog, service, name)]
    }),
  )
}

/** What makes a service fail, as far as the catalog tells what runs it. */
export function failureOf({ name, data: { postgres } }: Service): { readonly kind: string; readonly inject: Draft } {
  if (postgres?.dataDirectory !== undefined) {
    const target = { pidFile: `${postgres.dataDirectory}/postmaster.pid`, descendants: true }
    return { kind: 'process.kill', inject: { 'process.kill': { target } } }
  }
  const manager = new Unknown(`systemd or runit: what supervises ${name}`)
  return { kind: 'service.stop', inject: { 'service.stop': { manager, service: new Unknown(`its unit or folder`) } } }
}

function fails(service: Service, other: Service): Proposal {
  const { kind, inject } = failureOf(other)
  const shows = `${service.name} is back within its RTO after ${other.name} has failed`
  // What is killed has to be brought back by something; what was stopped is started again at the end.
  const isBack = kind === 'process.kill'
  return {
    name: `${service.name}-without-${other.name}`,
    shows,
    service: service.name,
    services: [service.name, other.name],
    faults: [kind],
    experiment: {
      ...frameOf(service, shows),
      services: [service.name, other.name],
      faults: [{ inject, for: '30s' }],
      ...(isBack && other.recovery !== undefined ? { drill: other.recovery } : {}),
      recoversWithin: writeDuration(service.objectives.rtoMs),
      ...(isBack ? {} : { recoversFrom: 'clean-up' }),
    },
  }
}

function slow(service: Service, name: string): Proposal {
  const shows = `${service.name} stays well while what it asks of ${name} takes 200 ms longer`
  const device = new Unknown(`the network device that leads from ${service.name} to ${name}`)
  return {
    name: `${service.name}-slow-${name}`,
    shows,
    service: service.name,
    services: [service.name],
    faults: ['network.degrade'],
    experiment: {
      ...frameOf(service, shows),
      services: [service.name],
      faults: [{ inject: { 'network.degrade': { device, delay: '200ms', jitter: '50ms' } }, for: '5m' }],
    },
  }
}

function cutOff(catalog: Catalog, service: Service, name: string): Proposal {
  const shows = `${service.name} is back within its RTO once the line to ${name} is there again`
  const peers = peersOf(catalog.services[name], name)
  return {
    name: `${service.name}-cut-off-from-${name}`,
    shows,
    service: service.name,
    services: [service.name],
    faults: ['network.partition'],
    about: { peers },
    experiment: {
      ...frameOf(service, shows),
      services: [service.name],
      faults: [{ inject: { 'network.partition': { peers } }, for: '1m' }],
      recoversWithin: writeDuration(service.objectives.rtoMs),
      recoversFrom: 'clean-up',
    },
  }
}

/** Only an address that the catalog has: a name may lead anywhere, and the machine's own addresses carry everything else too. */
function peersOf(other: Service | undefined, name: string): Draft {
  const host = other === undefined ? undefined : hostOf(other)
  if (host !== undefined && isIP(host) !== 0 && !/^(?:127\.|::1$)/.test(host)) return [host]
  return new Unknown(`a list of the addresses of ${name}${host === undefined ? '' : ` (${host})`}`)
}

function hostOf({ data: { postgres }, health }: Service): string | undefined {
  const { url } = postgres ?? {}
  if (health?.kind === 'tcp' && (typeof url !== 'string' || !URL.canParse(url))) return health.host
  const known = typeof url === 'string' && URL.canParse(url) ? url : health?.kind === 'http' ? health.url : undefined
  // An IPv6 address is in brackets there.
  return known === undefined ? undefined : new URL(known).hostname.replace(/^\[(.*)\]$/, '$1') || undefined
}
