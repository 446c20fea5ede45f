import type { ChaosRules } from './chaos.ts'
import type { Maintenance } from './maintenance.ts'
import type { Contact } from './contact.ts'
import type { Experiment } from './experiment.ts'
import type { Observer } from './observation.ts'
import type { Plan } from './plan.ts'
import type { Service } from './service.ts'
import type { Strategy } from './strategies.ts'

export type * from './observation.ts'
export type * from './plan.ts'
export type { Schedule } from './schedule.ts'
export type * from './service.ts'

/**
 * A catalog as the rest of the house sees it: checked, plain, frozen data. Durations are milliseconds (`…Ms`), references between
 * entries are names that exist, records have no prototype, lists that were not written are empty.
 */
export interface Catalog {
  /** Absolute path of the file that it was read from. */
  readonly file: string
  /** Absolute paths of all that it was read from: that file, then what it includes. */
  readonly files: readonly string[]
  /** Lower-case hex SHA-256 over what the file says: comments, order, layout, aliases and the
   * division into files of one folder do not change it. */
  readonly hash: string
  readonly name: string
  readonly sites: Readonly<Record<string, Site>>
  readonly repositories: Readonly<Record<string, RepositoryEntry>>
  readonly clusters: Readonly<Record<string, ClusterEntry>>
  /** What costs are stated in. */
  readonly currency: string
  /** The cheapest first; those that are not available are left out. */
  readonly strategies: readonly Strategy[]
  readonly contacts: Readonly<Record<string, Contact>>
  /** By number, as text. */
  readonly tiers: Readonly<Record<string, Tier>>
  readonly runners: Readonly<Record<string, Runner>>
  readonly services: Readonly<Record<string, Service>>
  readonly groups: Readonly<Record<string, Group>>
  readonly external: Readonly<Record<string, ExternalDependency>>
  readonly observers: Readonly<Record<string, Observer>>
  readonly plans: Readonly<Record<string, Plan>>
  readonly accepted: readonly AcceptedRisk[]
  readonly maintenance: Maintenance
  /** Of all experiments. */
  readonly chaos: ChaosRules
  /** Public keys of those whose evidence counts (`ed25519:…`), by name; none: everybody's does. */
  readonly ledger: { readonly keys: Readonly<Record<string, string>> }
  readonly experiments: Readonly<Record<string, Experiment>>
}

/** A weakness that was looked at and is lived with, until the end of a day (`2027-03-31`). */
export interface AcceptedRisk {
  readonly lint: string
  /** The entry that it is about; absent: all. */
  readonly of?: string
  readonly because: string
  readonly by: string
  readonly until: string
}

/** A failure domain: what breaks together. */
export interface Site {
  readonly name: string
  readonly provider?: string
  readonly region?: string
  /** What is closed or locked as one. */
  readonly account?: string
  /** Names and addresses of its machines; `*.DOMAIN` for all below it. */
  readonly hosts: readonly string[]
  readonly description?: string
}

/** How important services are. What it gives to its services, they have already. */
export interface Tier {
  /** Its number. */
  readonly name: string
  readonly description?: string
  readonly rpoMs?: number
  readonly rtoMs?: number
}

export interface RepositoryEntry {
  readonly name: string
  /** As written. */
  readonly url: string
  /** What to open: an absolute path when `url` is a path (relative ones start at the catalog's folder), else `url` itself. */
  readonly location: string
  readonly site: string
  readonly media: 'disk' | 'object-storage' | 'tape' | 'removable'
  readonly password: SecretRef
  readonly storageClass?: string
  readonly immutableForMs?: number
  readonly description?: string
}

/** A machine that recoveries can be run on. */
export interface Runner {
  readonly name: string
  readonly site: string
  readonly description?: string
}

/** A Kubernetes cluster. */
export interface ClusterEntry {
  readonly name: string
  /** Where its kubeconfig is; what a file names relatively starts at the file's folder. */
  readonly kubeconfig: SecretRef
  /** Absent: the kubeconfig's current one. */
  readonly context?: string
  /** The uid of its namespace kube-system, which no two clusters share. Absent: whichever cluster the kubeconfig leads to. */
  readonly id?: string
  readonly site?: string
  readonly description?: string
}

/** Where a secret is, never the secret. Files are absolute paths; a command is a program and its arguments, run without a shell. */
export type SecretRef =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly [string, ...string[]] }

/** Services that must come back to one point in time. */
export interface Group {
  readonly name: string
  /** Services; two at least. */
  readonly members: readonly string[]
  /** Its own, else the shortest of its members'. */
  readonly rpoMs: number
  /** How far apart the states may be that its members come back to; absent: it is not judged. */
  readonly spreadMs?: number
  readonly description?: string
}

/** Something that others run. Its figures are beliefs. */
export interface ExternalDependency {
  readonly name: string
  readonly description?: string
  /** As written: whom to ask. */
  readonly contact?: string
  /** The entry of `contacts` that `contact` names. */
  readonly contactEntry?: Contact
  readonly site?: string
  readonly assumed: { readonly rpoMs?: number; readonly rtoMs?: number }
}
