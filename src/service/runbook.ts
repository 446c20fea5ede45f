import { actions } from '../actions/index.ts'
import { type Catalog } from '../catalog/index.ts'
import { HoldfastError, systemClock, type Clock } from '../kernel/index.ts'
import {
  buildRunbook,
  compareRunbook,
  compilePlan,
  formatOf,
  planHash,
  readIdentity,
  readRunbookFile,
  renderPdf,
  renderRunbook,
  wordRunbook,
  type RunbookEvidence,
  type RunbookFinding,
  type RunbookFormat,
  type RunbookOf,
} from '../recovery/index.ts'
import { codeVersion } from './recovery/code-version.ts'
import { recordedRecoveries } from './runbook/recorded-recoveries.ts'
import { pastStepTimes } from './runbook/step-times.ts'

export interface RunbookRequest {
  readonly catalog: Catalog
  /** Not needed for another plan: without it, the first service that the plan recovers. */
  readonly service?: string | undefined
  /** Another plan that recovers the service, such as its failback. Default: its `recovery`. */
  readonly plan?: string | undefined
  readonly format: RunbookFormat
  /** Whether ledgers and past runs are looked at: what they say stands in the runbook, marked. */
  readonly withEvidence: boolean
  readonly clock?: Clock
}

export interface WrittenRunbook {
  readonly service: string
  readonly plan: string
  readonly planHash: string
  readonly version: string
  /** Bytes of a PDF, text of the others. */
  readonly content: string | Uint8Array
  /** What could not be looked into; empty also when nothing was to be. */
  readonly unseen: RunbookEvidence['unseen']
}

/**
 * The runbook of a service, from the catalog, its plan and what is on record. A repository that cannot be read is told, in the runbook too.
 * Throws `unknown-service` and, for a service without a plan, `usage`.
 */
export async function writeRunbook(
  { catalog, service, plan, format, withEvidence, clock = systemClock }: RunbookRequest,
  signal: AbortSignal,
): Promise<WrittenRunbook> {
  const version = codeVersion()
  const runbook = buildRunbook(catalog, runbookOf(catalog, service, plan), actions, version)
  let evidence: RunbookEvidence | undefined
  if (withEvidence) {
    const repositories = runbook.copies.map(({ repository }) => repository.name)
    evidence = {
      lookedAt: clock.now(),
      stepTimes: await pastStepTimes(catalog, runbook.plan.name),
      ...(await recordedRecoveries(catalog, runbook, repositories, signal)),
    }
  }
  const document = wordRunbook(runbook, evidence)
  const content = format === 'pdf' ? await renderPdf(document) : renderRunbook(document, format)
  return {
    service: runbook.service.name,
    plan: runbook.plan.name,
    planHash: runbook.planHash,
    version,
    content,
    unseen: evidence?.unseen ?? [],
  }
}

/** What is wrong with a committed runbook; nothing when it says what the catalog and this version of Holdfast say. Reads no repository. */
export function checkRunbook(
  catalog: Catalog,
  { service, plan }: Pick<RunbookRequest, 'service' | 'plan'>,
  committed: Uint8Array,
): RunbookFinding[] {
  const version = codeVersion()
  const runbook = buildRunbook(catalog, runbookOf(catalog, service, plan), actions, version)
  const document = wordRunbook(runbook)
  const file = readRunbookFile(committed)
  const text = renderRunbook(document, formatOf(file.text))
  const compiled = compilePlan(runbook.plan)
  return compareRunbook(file, { text, identity: document.identity, hashBy: (other) => planHash(compiled, other) })
}

function runbookOf(catalog: Catalog, service: string | undefined, plan: string | undefined): RunbookOf {
  const first = plan === undefined || !Object.hasOwn(catalog.plans, plan) ? undefined : catalog.plans[plan]?.recovers[0]
  const name = service ?? first
  if (name !== undefined) return { service: name, ...(plan === undefined ? {} : { plan }) }
  const known = Object.values(catalog.plans).filter(({ recovers }) => recovers.length > 0)
  throw new HoldfastError('usage', {
    message:
      plan === undefined
        ? 'a runbook is of a service, or of a plan'
        : Object.hasOwn(catalog.plans, plan)
          ? `the plan ${plan} recovers no service: others use it as a step, and their runbooks have its steps`
          : `the catalog has no plan '${plan}'`,
    hint: `give a service, or --plan with one of ${known.map((one) => one.name).join(', ') || 'none'}`,
  })
}

/** Whether a file was written by `holdfast runbook`: only such a one is replaced. */
export function isRunbook(file: Uint8Array): boolean {
  return readIdentity(readRunbookFile(file).text) !== undefined
}
