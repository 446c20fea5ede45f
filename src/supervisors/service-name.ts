/** What supervises services: runit is controlled with `sv`, systemd with `systemctl`. */
export const managers = ['runit', 'systemd'] as const

export type Manager = (typeof managers)[number]

/** systemd.unit(5), without the patterns that systemctl would take for several units. */
const unitName = /^[A-Za-z0-9:_][A-Za-z0-9:_.\\@-]*$/

/** What is wrong with the name of a service, in words; undefined for nothing. */
export function serviceNameProblem(manager: Manager, service: string): string | undefined {
  if (manager === 'runit') return service.startsWith('/') ? undefined : 'expected an absolute path'
  return unitName.test(service) ? undefined : 'expected the name of one unit, such as nginx.service'
}
