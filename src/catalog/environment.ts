import { HoldfastError } from '../kernel/index.ts'
import type { Catalog, Plan, Service } from './types.ts'

export const serviceEnvironments = ['development', 'staging', 'production'] as const
export type ServiceEnvironment = (typeof serviceEnvironments)[number]

/** Whoever does not say it is taken to matter most. */
export function environmentOf({ environment = 'production' }: Pick<Service, 'environment'>): ServiceEnvironment {
  return environment
}

/** The names of the services in an environment; of all without one. Throws `usage` where there are none: nothing would be looked at. */
export function servicesIn({ services, file }: Pick<Catalog, 'services' | 'file'>, environment?: ServiceEnvironment): string[] {
  const found = Object.values(services).filter((service) => environment === undefined || environmentOf(service) === environment)
  if (environment === undefined || found.length > 0) return found.map(({ name }) => name)
  throw new HoldfastError('usage', {
    message: `no service of ${file} is in ${environment}`,
    hint: 'services say it with `environment`; those that do not are in production',
  })
}

/** The plans that recover a service in an environment; all without one. Throws `usage` as `servicesIn` does. */
export function plansIn(catalog: Pick<Catalog, 'services' | 'plans' | 'file'>, environment?: ServiceEnvironment): Plan[] {
  const [services, plans] = [servicesIn(catalog, environment), Object.values(catalog.plans)]
  return environment === undefined ? plans : plans.filter(({ recovers }) => recovers.some((name) => services.includes(name)))
}
