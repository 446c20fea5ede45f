import type { Catalog, Group } from '../../catalog/index.ts'
import { groupStatus, type GroupStatus, type ServiceEvidence, type ServiceStatus } from '../../objectives/index.ts'

export interface GroupReport extends GroupStatus {
  readonly group: string
  readonly members: readonly string[]
}

/** A service with what is known of it and what follows from that. */
export interface Judged {
  readonly status: ServiceStatus
  readonly evidence: ServiceEvidence
}

/** The groups that one of these services is a member of. */
export function groupsOf({ groups }: Catalog, services: readonly string[]): Group[] {
  const wanted = new Set(services)
  return Object.values(groups).filter(({ members }) => members.some((name) => wanted.has(name)))
}

/** `judged`: of the members of these groups at least. */
export function groupReports(groups: readonly Group[], judged: ReadonlyMap<string, Judged>, now: Date): GroupReport[] {
  return groups.map(({ name, members, rpoMs, spreadMs }) => ({
    group: name,
    members,
    ...groupStatus({
      members: members.flatMap((service) => {
        const known = judged.get(service)
        return known === undefined ? [] : [{ service, status: known.status, data: known.evidence.data }]
      }),
      rpoMs,
      ...(spreadMs === undefined ? {} : { spreadMs }),
      now,
    }),
  }))
}
