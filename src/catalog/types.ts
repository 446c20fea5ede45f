import type { Json } from '../kernel/index.ts'
import type { Drill } from './drill.ts'
import type { ChaosRules } from './chaos.ts'
import type { Experiment } from './experiment.ts'
import type { Strategy } from './strategies.ts'

/**
 * A catalog as the rest of the house sees it: checked, plain, frozen data. Durations are milliseconds (`…Ms`), references between
 * entries are names that exist, records have no prototype, lists that were not written are empty.
 */
export interface Catalog {
  /** Absolute path of the file that it was read from. */
  readonly file: string
  /** Lower-case hex SHA-256 over what the file says: comments, order, layout and aliases do not change it. */
  readonly hash: string
  readonly name: string
  readonly sites: Readonly<Record<string, Site>>
  readonly repositories: Readonly<Record<string, RepositoryEntry>>
  readonly clusters: Readonly<Record<string, ClusterEntry>>
  /** What costs are stated in. */
  readonly currency: string
  /** The cheapest first; those that are not available are left out. */
  readonly strategies: readonly Strategy[]
  readonly services: Readonly<Record<string, Service>>
  readonly external: Readonly<Record<string, ExternalDependency>>
  readonly observers: Readonly<Record<string, Observer>>
  readonly plans: Readonly<Record<string, Plan>>
  readonly accepted: readonly AcceptedRisk[]
  /** Of all experiments. */
  readonly chaos: ChaosRules
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
  readonly description?: string
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

export interface Service {
  readonly name: string
  readonly owner: string
  readonly onCall?: string
  /** 1 is the most important. */
  readonly tier?: number
  readonly site: string
  readonly description?: string
  readonly objectives: Objectives
  /** The strategy that was chosen for it. */
  readonly strategy?: string
  readonly downtimeCostPerHour?: number
  readonly dataLossCostPerHour?: number
  /** Disasters that are expected. */
  readonly outagesPerYear?: number
  /** Services, and entries of `external`, that must be up before this one can be. */
  readonly dependsOn: readonly string[]
  readonly data: ServiceData
  readonly health?: HealthCheck
  readonly backup?: BackupPolicy
  readonly verify?: VerifyPolicy
  /** The plan that brings it back. */
  readonly recovery?: string
}

/** Something that others run. Its figures are beliefs. */
export interface ExternalDependency {
  readonly name: string
  readonly description?: string
  readonly contact?: string
  readonly site?: string
  readonly assumed: { readonly rpoMs?: number; readonly rtoMs?: number }
}

export interface Objectives {
  readonly rpoMs: number
  readonly rtoMs: number
}

export interface ServiceData {
  readonly postgres?: PostgresData
  readonly files?: FilesData
}

/** What is known of every server of a service, its first primary and its standbys. */
export interface PostgresPlace {
  /** A connection URL without a password in it, or where the URL is. */
  readonly url: string | SecretRef
  /** How other servers reach it to stream from it; absent: by `url`. */
  readonly replicationUrl?: string | SecretRef
  /** The hostname of its machine; absent: this one if its URL is of a socket or the loopback. */
  readonly host?: string
  /** Where the server keeps its data on its own machine: what a recovery is for, and what a restore must not overwrite unasked. */
  readonly dataDirectory?: string
  /** Where `postgres` and `pg_ctl` of the right version are. */
  readonly binDirectory?: string
  /** The system user that it runs as when a recovery starts it. */
  readonly runAs?: string
  /** Settings on its command line when a recovery starts it. */
  readonly settings: Readonly<Record<string, string>>
}

/** A server that streams from the primary. */
export interface PostgresStandby extends PostgresPlace {
  readonly name: string
  readonly site: string
}

export interface PostgresData extends PostgresPlace {
  /**
   * `stream`: WAL is received as it is written. `synchronous`: and commits wait until it is stored. `none`: base backups only.
   */
  readonly wal: 'stream' | 'synchronous' | 'none'
  /** The replication slot; absent: one is named after the service. */
  readonly slot?: string
  /** Of the server that a recovery starts. */
  readonly port?: number
  /** Of the server that a recovery starts: where it puts its socket. */
  readonly socketDirectory?: string
  /** By name; never called `primary`, which is the server of `url`. */
  readonly standbys: Readonly<Record<string, PostgresStandby>>
}

export interface FilesData {
  /** Absolute. */
  readonly paths: readonly string[]
  /** Patterns as restic's --exclude. */
  readonly exclude: readonly string[]
  readonly oneFileSystem: boolean
}

export type HealthCheck = Extract<Probe, { readonly kind: 'http' | 'tcp' }>

/** One way to see whether something is well. */
export type Probe = { readonly timeoutMs: number } & (
  | { readonly kind: 'http'; readonly url: string; readonly status: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A row is well, unless its first column is false. */
  | { readonly kind: 'sql'; readonly sql: string; readonly url: string | SecretRef }
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }
  /** `sql` gives the time of the newest heartbeat. */
  | { readonly kind: 'heartbeat'; readonly sql: string; readonly url: string | SecretRef; readonly maxAgeMs: number }
)

/** A process at another site that looks whether services are well. */
export interface Observer {
  readonly name: string
  readonly site: string
  /** How its reports reach whoever decides. */
  readonly report:
    | { readonly kind: 'repository'; readonly repository: string }
    | { readonly kind: 'http'; readonly url: string; readonly token: SecretRef }
  /** Something unrelated: an observer that does not reach that either is blind. */
  readonly reference?: Probe
  readonly description?: string
}

export interface BackupPolicy {
  readonly schedule?: Schedule
  /** When a run is a full one; the others are incremental. */
  readonly full?: Schedule
  /** Repositories. */
  readonly to: readonly string[]
  readonly keep?: KeepPolicy
  readonly tags: readonly string[]
}

/** When something happens again. Times of day are the machine's local time. */
export type Schedule = { readonly text: string } & (
  | { readonly kind: 'every'; readonly everyMs: number }
  /** Five fields, numbers only, Sunday is 0. */
  | { readonly kind: 'cron'; readonly cron: string }
)

/** How many snapshots are kept of each kind; an absent one keeps none by that rule. */
export interface KeepPolicy {
  readonly last?: number
  readonly hourly?: number
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  readonly withinMs?: number
}

export interface VerifyPolicy {
  readonly check?: Schedule
  readonly restoreTest?: Schedule
  readonly assert: readonly SqlAssertion[]
}

/** The first column of the first row of `sql`, compared. At least one comparison is present. */
export interface SqlAssertion {
  readonly sql: string
  readonly database?: string
  readonly atLeast?: number
  readonly atMost?: number
  readonly equals?: string | number | boolean
}

export interface Plan {
  readonly name: string
  readonly description?: string
  /** Services. */
  readonly recovers: readonly string[]
  /** One run at a time in an environment; the catalog's name unless the plan says otherwise. */
  readonly environment: string
  /** Somebody else than who started the run must approve it before anything begins. */
  readonly fourEyes: boolean
  /** When all else is done, a person says that it counts; `else` when nobody has. */
  readonly commit?: { readonly withinMs: number; readonly else: 'undo' | 'commit' | 'ask' }
  /** How many steps of a group may run at once. */
  readonly groups: Readonly<Record<string, number>>
  /** Parameters that have no default: only a plan that gives them can use this one. */
  readonly openParams: readonly string[]
  readonly detection?: Detection
  /** For people, shown before a run. */
  readonly prerequisites: readonly string[]
  /** `after` gives the order. Steps of plans that are used as a step stand here themselves, as ID/STEP. Never empty. */
  readonly steps: readonly Step[]
  /** Absent: see drillOf. */
  readonly drill?: Drill
}

export interface Detection {
  readonly symptoms: readonly string[]
  /** How many of how many observers must agree. */
  readonly quorum?: { readonly needed: number; readonly of: number }
  /** How long the symptoms must hold. */
  readonly forMs?: number
  readonly decide: 'ask' | 'auto'
  /** Parameters of the action `notify`: whom to tell when it is down and nothing is started by itself. */
  readonly notify: readonly { readonly [parameter: string]: Json }[]
  /** Where deciders claim an incident before they act on it; absent: there is only one. */
  readonly claims?: DeciderClaims
  /** Present when observers watch for it. */
  readonly watch?: DetectionWatch
}

export interface DeciderClaims {
  readonly repository: string
  /** A claim whose run has not begun by then is taken over. */
  readonly expireMs: number
}

/** What observers look at, and when what they see counts. */
export interface DetectionWatch {
  /** Never empty. */
  readonly probes: readonly Probe[]
  /** Whether one failing probe is a symptom, or only all of them together. */
  readonly failing: 'any' | 'all'
  /** Names; never empty. None is at the site of a service that the plan recovers, and no two are at one site. */
  readonly observers: readonly string[]
  /** Of the observers: from 1 to all. */
  readonly needed: number
  readonly everyMs: number
  readonly forMs: number
  /** After a run of the plan. */
  readonly quietMs: number
}

/** An action by name, with its parameters as written: references to secrets and to outputs of steps are still references. */
export interface ActionCall {
  readonly kind: string
  readonly params: Json
}

export interface Step {
  readonly id: string
  readonly description?: string
  readonly do: ActionCall
  /** Steps of the same plan that must be done before; `commit` stands for the plan's commit window. */
  readonly after: readonly string[]
  /** Only when all of these hold. */
  readonly when: readonly Condition[]
  /** One of the plan's `groups`. */
  readonly group?: string
  /** For each attempt. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly check?: StepCheck
  /** Instead of the action's own undo. */
  readonly undo?: ActionCall
  /** Instead of all that when the source site cannot be reached. */
  readonly disaster?: DisasterForm
  /**
   * `undo`: what is done so far is taken back. `stop`: the run ends and all stays. `continue`: the plan goes on without it. `ask`: a person
   * decides.
   */
  readonly onFailure: 'undo' | 'stop' | 'continue' | 'ask'
}

/** What a reference to the output of an earlier step becomes, and what it must be or must not be. */
export type Condition = { readonly value: Json } & ({ readonly equals: Json } | { readonly notEquals: Json })

/** Asked again and again after the action until it passes, or its own time is up. */
export type StepCheck = ActionCall & { readonly everyMs: number; readonly timeoutMs: number }

export type DisasterForm =
  | { readonly skip: string }
  | {
      readonly do: ActionCall
      readonly check?: StepCheck
      readonly undo?: ActionCall
      readonly timeoutMs: number
    }

export interface RetryPolicy {
  /** 1 means: no second attempt. */
  readonly attempts: number
  readonly backoffMs: number
  readonly factor: number
  readonly maxBackoffMs: number
}
