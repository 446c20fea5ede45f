import { z } from 'zod'
import { awsParams, regionName } from '../../aws/index.ts'
import { setOf, type Catalog } from '../../catalog/index.ts'
import { blocker, HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import {
  done,
  halfDone,
  notDone,
  type Action,
  type ActionContext,
  type AnyAction,
  type Attempt,
  type Finding,
  type Probe,
  type ProbeContext,
} from '../contract.ts'
import { defineAction } from '../define-action.ts'
import { outputReference } from '../param-types.ts'
import { readNote, writeNote } from '../step-notes.ts'
import { awsLine, cliCredentials } from './cli.ts'
import { pause } from '../pause.ts'
import { openEc2, type Ec2, type InstanceState } from './ec2-client.ts'
import { awsName } from './name.ts'

const params = z.strictObject({
  region: regionName,
  instances: setOf(awsName).min(1).describe('The ids of the instances.'),
  ...awsParams,
})

type PowerParams = z.infer<typeof params>

/** What instances are brought to: `running` by a start, `stopped` by a stop. */
type PowerState = 'running' | 'stopped'

/** The instances that were in the other state before this step's first attempt: those that it changes, and that its undo may change back. */
const note = z.strictObject({ changes: z.array(z.string()) })

const pollMs = 1000
const operations = { running: 'start', stopped: 'stop' } as const
const opposite = { running: 'stopped', stopped: 'running' } as const
/** On the way there, by whoever told them to. */
const underWay = { running: 'pending', stopped: 'stopping' } as const

/** What can be said of starting and of stopping alone. */
type Wording = Pick<Action<PowerParams>, 'kind' | 'description' | 'example'>

/** An action that brings instances to a state, waits until they are there, and takes back only what it changed. */
export function powerAction(to: PowerState, wording: Wording): AnyAction {
  return defineAction<PowerParams>({
    ...wording,
    effect: 'reversible',
    params,
    preflight: (p, context, signal) => preflight(p, to, context, signal),
    probe: (p, context, asked) => probe(p, to, context, asked),
    run: (p, context, attempt) => run(p, to, context, attempt),
    undo: (p, _output, context, attempt) => undo(p, to, context, attempt),
    manual: (p, catalog) => manual(p, to, catalog),
    manualUndo: (p, catalog) => manualUndo(p, to, catalog),
  })
}

async function preflight(
  { instances, ...target }: PowerParams,
  to: PowerState,
  context: ActionContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  const known = instances.filter((id) => !outputReference.test(id))
  if (known.length === 0) return []
  using ec2 = await openEc2(target, context, signal)
  const findings = (await ec2.states(known))
    .filter(isGone)
    .map(({ id, state }) => blocker('instance-gone', `${id} is ${state}, and cannot be ${to} again`))
  if (findings.length > 0) return findings
  await ec2.dryRun(operations[to], known)
  try {
    await ec2.dryRun(operations[opposite[to]], known)
  } catch (error) {
    if (!isHoldfastError(error, 'permission-denied')) throw error
    const message = `it could not be undone: ${error.message}`
    findings.push({
      severity: 'warning',
      code: 'undo-not-permitted',
      message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
  return findings
}

async function probe(
  { instances, ...target }: PowerParams,
  to: PowerState,
  context: ActionContext,
  { signal, idempotencyKey, previous }: ProbeContext,
): Promise<Probe> {
  using ec2 = await openEc2(target, context, signal)
  const states = await ec2.states(instances)
  const changes = (await readNote(context, idempotencyKey, note))?.changes ?? []
  if (states.every(({ state }) => state === to)) return done(outcome(states, changes))
  const touched = states.some(({ id, state }) => changes.includes(id) && state !== opposite[to])
  return previous !== 'none' && touched ? halfDone : notDone
}

async function run(
  { instances, ...target }: PowerParams,
  to: PowerState,
  context: ActionContext,
  { signal, idempotencyKey }: Attempt,
) {
  using ec2 = await openEc2(target, context, signal)
  let changes = (await readNote(context, idempotencyKey, note))?.changes
  if (changes === undefined) {
    const before = await ec2.states(instances)
    changes = before.filter(({ state }) => state !== to && state !== underWay[to]).map(({ id }) => id)
    await writeNote(context, idempotencyKey, { changes })
  }
  return outcome(await bring(ec2, instances, to, context, signal), changes)
}

/** Brings back only those that the step changed. */
async function undo(
  target: PowerParams,
  to: PowerState,
  context: ActionContext,
  { signal, idempotencyKey }: Attempt,
): Promise<void> {
  const changes = (await readNote(context, idempotencyKey, note))?.changes ?? []
  if (changes.length === 0) return
  using ec2 = await openEc2(target, context, signal)
  await bring(ec2, changes, opposite[to], context, signal)
}

/** Told once each, then waited for, until the attempt's time is up. */
async function bring(
  ec2: Ec2,
  ids: readonly string[],
  to: PowerState,
  context: ActionContext,
  signal: AbortSignal,
): Promise<InstanceState[]> {
  const told = new Set<string>()
  const moved = new Set<string>()
  for (;;) {
    const states = await ec2.states(ids)
    const gone = states.find(isGone)
    if (gone !== undefined) throw stuck(gone, to)
    const waiting = states.filter(({ state }) => state !== to)
    if (waiting.length === 0) return states
    for (const instance of waiting) {
      if (instance.state !== opposite[to]) moved.add(instance.id)
      // EC2's answers lag behind what it was told: only one that was under way has come back.
      else if (told.has(instance.id) && moved.has(instance.id)) throw stuck(instance, to)
    }
    const tell = waiting.filter(({ id, state }) => state === opposite[to] && !told.has(id)).map(({ id }) => id)
    if (tell.length > 0) {
      await ec2[operations[to]](tell)
      for (const id of tell) {
        told.add(id)
        moved.delete(id)
      }
    }
    const text = states.map(({ id, state }) => `${id} is ${state}`).join(', ')
    context.progress({ step: context.step, text })
    await pause(context.clock, pollMs, signal, text)
  }
}

function manual({ instances, ...target }: PowerParams, to: PowerState, catalog: Catalog | undefined): string[] {
  return [
    ...cliCredentials(target, catalog),
    awsLine(target, ['ec2', `${operations[to]}-instances`, '--instance-ids', ...instances]),
    awsLine(target, ['ec2', 'wait', `instance-${to}`, '--instance-ids', ...instances]),
    `${awsLine(target, [
      'ec2',
      'describe-instances',
      '--instance-ids',
      ...instances,
      '--query',
      'Reservations[].Instances[].[InstanceId,State.Name,PrivateIpAddress]',
      '--output',
      'text',
    ])}   # expect ${to}, each`,
  ]
}

function manualUndo(p: PowerParams, to: PowerState, catalog: Catalog | undefined): string[] {
  return [`# only those that were ${opposite[to]} before`, ...manual(p, opposite[to], catalog)]
}

function isGone({ state }: InstanceState): boolean {
  return state === 'terminated' || state === 'shutting-down'
}

function outcome(states: readonly InstanceState[], changes: readonly string[]) {
  const instances = Object.fromEntries(
    states.map(({ id, state, privateIp, publicIp }) => [id, { state, privateIp, publicIp }] as const),
  )
  return { instances, changed: changes }
}

function stuck({ id, state, reason }: InstanceState, to: PowerState): HoldfastError {
  return new HoldfastError('command-failed', {
    message: `${id} did not become ${to}: it is ${state}${reason === undefined || reason === '' ? '' : ` (${reason})`}`,
    hint: `\`aws ec2 describe-instances --instance-ids ${id}\` shows its state reason`,
    details: { instance: id, state },
  })
}
