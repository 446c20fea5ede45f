import { readdir, realpath } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { actions, noOwnNetwork } from '../../actions/index.ts'
import { drillOf, planFor, type Catalog, type Plan as CatalogPlan } from '../../catalog/index.ts'
import { HoldfastError, isHoldfastError, systemCode, stateDirectory } from '../../kernel/index.ts'
import {
  bindAction,
  compileDrill,
  compilePlan,
  inForm,
  inputAsJson,
  planAsRun,
  planHash,
  type ActionCall,
  type DrillInput,
  type Plan,
  type PlanForm,
  type PlanInput,
  type StepFinding,
} from '../../recovery/index.ts'
import { codeVersion } from '../recovery/code-version.ts'
import { restoreFrom } from '../recovery/restore-from.ts'
import { manualSteps, newRunId, type PreparedRecovery } from '../recovery/prepare.ts'
import { openRunsAt } from '../recovery/run-views.ts'

export interface DrillRequest {
  readonly catalog: Catalog
  /** A service, whose plan it is, or a plan. */
  readonly name: string
  /** This plan, whatever else is called like it. */
  readonly plan?: CatalogPlan
  readonly mode: DrillInput['mode']
  /** Default: a new one. */
  readonly runId?: string
  /** Default: normal; disaster: as when the source site cannot be reached. */
  readonly form?: PlanForm
  /** The name of one in the catalog, or what is said to have happened. */
  readonly scenario?: string
  readonly participants?: readonly string[]
  readonly window?: { readonly from: Date; readonly to: Date }
  /** What is restored comes from this repository, to prove that one. */
  readonly repository?: string
  /** A sandbox here, which is not removed; absent or empty. */
  readonly keep?: string
  readonly requestedBy?: string
  /** When what it recovers from began; default: now, with the drill. */
  readonly onsetAt?: Date
  /** The run of the experiment that it is a part of. */
  readonly experiment?: string
}

export interface PreparedDrill extends PreparedRecovery {
  readonly drill: DrillInput
  /** Blockers: why it may not be run like this. */
  readonly findings: readonly StepFinding[]
}

/** Decides everything about a drill without doing any of it. Throws `unknown-service` or `usage` when there is no such plan, or a run of that id. */
export async function prepareDrill(request: DrillRequest, signal: AbortSignal): Promise<PreparedDrill> {
  const { catalog, mode } = request
  const declared = request.plan ?? planNamed(catalog, request.name)
  const real = compilePlan(declared)
  const version = codeVersion()
  if (request.runId !== undefined) await requireUnknown(catalog, request.runId)
  const runId = request.runId ?? newRunId(`drill-${declared.name}`)
  const settings = drillOf(declared)
  const owner = settings.findings.owner ?? catalog.services[real.recovers[0] ?? '']?.owner ?? userInfo().username
  const { scenario, window, form = 'normal' } = request
  const about = {
    mode,
    planHash: planHash(real, version),
    participants: [...(request.participants ?? [])],
    findings: { owner, dueMs: settings.findings.dueMs },
    ...(scenario === undefined ? {} : { scenario: settings.scenarios[scenario] ?? scenario }),
    ...(request.experiment === undefined ? {} : { experiment: request.experiment }),
    ...(window === undefined ? {} : { window: { from: window.from.toISOString(), to: window.to.toISOString() } }),
  }
  const prepared = (plan: Plan, drill: DrillInput, findings: readonly StepFinding[]): PreparedDrill => {
    const input: PlanInput = {
      plan,
      planHash: planHash(plan, version),
      target: { kind: 'latest' },
      form,
      ...restoreFrom(catalog, inForm(plan, form), request.repository),
      requestedBy: request.requestedBy ?? userInfo().username,
      // The disaster of a drill is that it begins, but for one that an experiment made.
      onsetAt: (request.onsetAt ?? new Date()).toISOString(),
      // Nobody is on call for a sandbox.
      decisions: mode === 'live' ? 'ask' : 'stop',
      drill,
    }
    const spec = { runId, planHash: input.planHash, codeVersion: version, input: inputAsJson(input) }
    return { spec, input, drill, findings, steps: manualSteps(planAsRun(input), catalog) }
  }
  if (mode === 'live') return prepared(real, { ...about, changes: [] }, windowFindings(real, window))

  const folder = request.keep === undefined ? folderOf(catalog, settings.directory, runId) : resolve(request.keep)
  const { plan, changes, findings } = compileSandboxed(declared, form, folder)
  const networkBecause = await noOwnNetwork(signal)
  const drill: DrillInput = {
    ...about,
    changes: [...changes],
    sandbox: {
      folder,
      keep: request.keep !== undefined,
      approvals: settings.approvals,
      network: networkBecause === undefined ? 'own' : 'shared',
      ...(networkBecause === undefined ? {} : { networkBecause }),
      allowed: settings.allow,
    },
  }
  const place = [...(await placeFindings(catalog, plan, folder)), ...(await keepFindings(plan, request.keep))]
  return prepared(plan, drill, [...findings, ...place, ...windowFindings(plan, window)])
}

/** A run that is submitted again is joined, and a drill would end with the success of an old one. Throws `usage`. */
async function requireUnknown(catalog: Catalog, runId: string): Promise<void> {
  await using runs = openRunsAt(catalog.file)
  try {
    await runs.status(runId)
  } catch (error) {
    if (isHoldfastError(error, 'run-not-found')) return
    throw error
  }
  throw new HoldfastError('usage', {
    message: `there is a run called ${runId} already`,
    hint: `give another --run-id; what became of that one: holdfast run show ${runId}`,
  })
}

/** The plan of a sandbox drill in a folder, as it is compiled now. */
export function compileSandboxed(declared: CatalogPlan, form: PlanForm, folder: string): ReturnType<typeof compileDrill> {
  const bind = ({ kind, params }: ActionCall) => bindAction(actions, kind, params)
  return compileDrill(inForm(compilePlan(declared), form), drillOf(declared), { bind, folder })
}

/** A service's plan, or the plan of that name. Throws `unknown-service` or `usage` when there is none. */
export function planNamed(catalog: Catalog, name: string): CatalogPlan {
  if (Object.hasOwn(catalog.services, name)) return planFor(catalog, name)
  const plan = Object.hasOwn(catalog.plans, name) ? catalog.plans[name] : undefined
  if (plan !== undefined) return plan
  throw new HoldfastError('unknown-service', {
    message: `the catalog has neither a service nor a plan called ${name}`,
    hint: `services: ${Object.keys(catalog.services).join(', ')}; plans: ${Object.keys(catalog.plans).join(', ')}`,
  })
}

function folderOf(catalog: Catalog, directory: string | undefined, runId: string): string {
  return directory === undefined ? join(stateDirectory(catalog.file), 'runs', runId, 'sandbox') : join(directory, runId)
}

/** A sandbox within what it is a copy of would change it, and be part of its next backup. */
async function placeFindings(catalog: Catalog, plan: Plan, folder: string): Promise<StepFinding[]> {
  const live = Object.values(catalog.services).flatMap(({ data }) => [
    ...(data.files?.paths ?? []),
    ...(data.postgres?.dataDirectory === undefined ? [] : [data.postgres.dataDirectory]),
  ])
  const at = await real(folder)
  const found: StepFinding[] = []
  for (const path of live) {
    const way = relative(await real(path), at)
    if (way !== '' && (way.startsWith('..') || way.startsWith('/'))) continue
    found.push({
      step: plan.steps[0]?.id ?? '',
      severity: 'blocker',
      code: 'target-is-source',
      message: `the sandbox ${folder} would be within ${path}, which is live data`,
      hint: 'name another `directory` in the plan’s drill, or another --keep',
    })
  }
  return found
}

async function keepFindings(plan: Plan, keep: string | undefined): Promise<StepFinding[]> {
  const names = keep === undefined ? [] : await readdir(keep).catch(absent)
  if (keep === undefined || names.length === 0) return []
  const message = `${resolve(keep)} is not empty`
  const hint = 'name a new or empty folder with --keep'
  return [{ step: plan.steps[0]?.id ?? '', severity: 'blocker', code: 'target-not-empty', message, hint }]
}

function absent(error: unknown): string[] {
  if (systemCode(error) === 'ENOENT') return []
  throw error
}

/** As far as the path exists. */
async function real(path: string): Promise<string> {
  for (let at = resolve(path), rest = ''; ;) {
    const found = await realpath(at).catch(() => undefined)
    if (found !== undefined) return join(found, rest)
    rest = join(at.slice(at.lastIndexOf('/') + 1), rest)
    at = resolve(at, '..')
  }
}

function windowFindings(plan: Plan, window: DrillRequest['window']): StepFinding[] {
  const now = Date.now()
  if (window === undefined || (window.from.getTime() <= now && now < window.to.getTime())) return []
  return [
    {
      step: plan.steps[0]?.id ?? '',
      severity: 'blocker',
      code: 'outside-window',
      message: `it is announced for ${window.from.toISOString()} to ${window.to.toISOString()}, and that is not now`,
      hint: 'wait for it, or announce another window',
    },
  ]
}
