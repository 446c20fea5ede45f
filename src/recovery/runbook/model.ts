import type { Effect } from '../../actions/index.ts'
import type {
  Contact,
  ExternalDependency,
  Group,
  Plan as CatalogPlan,
  RepositoryEntry,
  Service,
  Site,
  Tier,
} from '../../catalog/index.ts'

/**
 * What a person needs to bring a service back, with nothing that depends on the machine, the day, or what was measured: the same catalog
 * and the same version of Holdfast give the same model. Evidence is kept apart (evidence.ts).
 */
export interface Runbook {
  readonly service: Service
  readonly site: Site
  /** Where the catalog says what the service's tier is. */
  readonly tier?: Tier
  readonly plan: CatalogPlan
  /** It is the plan that the service names as its recovery; another, such as its failback, is named where it is run. */
  readonly isRecovery: boolean
  /** As `recover` binds a run to it. */
  readonly planHash: string
  readonly version: string
  /** Services that must come back to one point with it. */
  readonly groups: readonly Group[]
  readonly dependencies: readonly Dependency[]
  /** What others run, that it or one of those depends on. */
  readonly external: readonly ExternalDependency[]
  /** Services that need this one, directly or through others. */
  readonly dependents: readonly Service[]
  readonly data: readonly ProtectedData[]
  readonly copies: readonly Copy[]
  /** In an order in which they can be done. */
  readonly steps: readonly RunbookStep[]
  /** What can be taken back before the point of no return, in the order in which it is. */
  readonly rollback: readonly RunbookUndo[]
}

/** A service that must be up before this one can be; they come in the order of recovery. */
export interface Dependency {
  readonly service: Service
  /** `here`: the same plan brings it back. */
  readonly plan: { readonly kind: 'here' } | { readonly kind: 'own'; readonly name: string } | { readonly kind: 'none' }
}

export interface ProtectedData {
  readonly service: string
  /** In words, without secrets. */
  readonly what: string
}

/** One repository that holds backups. */
export interface Copy {
  readonly repository: RepositoryEntry
  readonly site: Site
  /** On the site of the service itself: lost with it. */
  readonly sameSite: boolean
  readonly password: string
  /** Lines for sh after which `restic` opens it. */
  readonly open: readonly string[]
}

export interface RunbookStep {
  /** Counts from 1. */
  readonly number: number
  readonly id: string
  readonly description?: string
  readonly kind: string
  readonly effect: Effect
  /** A step before it was the point of no return: from here on only forward. */
  readonly pastNoReturn: boolean
  readonly after: readonly string[]
  /** Steps that need not be done before it, nor it before them. */
  readonly alongside: readonly string[]
  /** All must hold, else it is left out. */
  readonly when: readonly { readonly value: string; readonly is?: string; readonly isNot?: string }[]
  /** Of the steps of its group only so many run at once. */
  readonly group?: { readonly name: string; readonly limit: number }
  /** What is done instead when the source site cannot be reached. */
  readonly disaster?:
    | { readonly skip: string }
    | { readonly kind: string; readonly commands: readonly string[]; readonly check?: readonly string[] }
  /** Entries of the catalog's `contacts` that may approve it. */
  readonly approvers: readonly Contact[]
  /** It waits: for a time, or for a person. */
  readonly waits: boolean
  /** The longest that it can take: all attempts, the pauses between them, and its check. */
  readonly limitMs: number
  readonly timeoutMs: number
  readonly attempts: number
  readonly commands: readonly string[]
  readonly holdfast: readonly HoldfastCommand[]
  readonly check?: {
    readonly kind: string
    readonly commands: readonly string[]
    readonly everyMs: number
    readonly timeoutMs: number
  }
  /** The step itself only looks, and fails when what it sees is wrong. */
  readonly isCheck: boolean
  /** The first check that comes after it, of a step that waits for it. */
  readonly checkedLater?: string
  readonly undo: RunbookUndo | undefined
  readonly onFailure: CatalogPlan['steps'][number]['onFailure']
  readonly secrets: readonly StepSecret[]
  /** Outputs of earlier steps that its commands name and that are known only then: `steps.start.url`. */
  readonly outputs: readonly string[]
}

export interface HoldfastCommand {
  readonly line: string
  readonly purpose: string
}

export interface RunbookUndo {
  readonly step: string
  /** `automatic`: the action takes itself back. `declared`: by another action. `none`: what the step did stays. */
  readonly kind: 'automatic' | 'declared' | 'none'
  readonly commands: readonly string[]
}

export interface StepSecret {
  /** The parameter that takes it: `env.PGPASSWORD`. */
  readonly parameter: string
  /** Where it is, in words. */
  readonly where: string
}
