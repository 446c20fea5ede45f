import type { ServiceEnvironment } from './environment.ts'
import type { Contact, EscalationStep } from './contact.ts'
import type { Probe } from './observation.ts'
import type { Schedule } from './schedule.ts'
import type { SecretRef } from './types.ts'

export interface Service {
  readonly name: string
  /** As written: who answers for it. */
  readonly owner?: string
  /** The entry of `contacts` that `owner` names. */
  readonly ownerContact?: Contact
  /** As written. */
  readonly onCall?: string
  readonly onCallContact?: Contact
  /** Who is called after whom; empty where nobody says. */
  readonly escalation: readonly EscalationStep[]
  /** 1 is the most important. */
  readonly tier?: number
  readonly site: string
  /** As written: see environmentOf. */
  readonly environment?: ServiceEnvironment
  readonly description?: string
  readonly objectives: Objectives
  /** Whether an objective is its own, or its tier's. */
  readonly declaredBy: { readonly rpo: 'service' | 'tier'; readonly rto: 'service' | 'tier' }
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

export interface BackupPolicy {
  readonly schedule?: Schedule
  /** When a run is a full one; the others are incremental. */
  readonly full?: Schedule
  /** Repositories. */
  readonly to: readonly string[]
  readonly keep?: KeepPolicy
  readonly tags: readonly string[]
}

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
