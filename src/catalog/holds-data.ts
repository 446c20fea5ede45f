import type { Service } from './service.ts'

/** Whether a service has data of its own: a database, files. */
export function holdsData({ data }: Pick<Service, 'data'>): boolean {
  return (data.postgres ?? data.files) !== undefined
}
