import { runit } from './runit.ts'
import type { Manager } from './service-name.ts'
import type { Supervisor } from './supervisor.ts'
import { systemd } from './systemd.ts'

/** By the name that a catalog has for each. */
export const supervisors: Readonly<Record<Manager, Supervisor>> = { runit, systemd }

export { bring, type BringOptions } from './bring.ts'
export { managers, serviceNameProblem, type Manager } from './service-name.ts'
export type { Order, ServiceState, Supervisor } from './supervisor.ts'
