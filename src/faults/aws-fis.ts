import { z } from 'zod'
import { awsParams, regionName, type AwsTarget } from '../aws/index.ts'
import { text } from '../catalog/index.ts'
import { blocker, HoldfastError, type Finding } from '../kernel/index.ts'
import { awsByHand } from './aws/cli.ts'
import { openFis, type Experiment, type Fis, type Template } from './aws/fis.ts'
import { faultTag } from './aws/tag.ts'
import { absent, over, partly, present, type TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { readNote, removeNote, writeNote } from './note.ts'

const target = { region: regionName, ...awsParams }

const params = z.strictObject({
  ...target,
  template: text.describe('The id of an experiment template (EXT…).'),
})

type Params = AwsTarget & { readonly template: string }

const traces = z.strictObject({ ...target, template: z.string(), updated: z.number() })
type Traces = z.infer<typeof traces>

/** When it was told to start, and which experiment that has become, as soon as that is known. */
const note = z.strictObject({ at: z.iso.datetime(), experiment: z.string().optional() })

const pollMs = 1000
/** How long after its start an experiment may not show everywhere yet. */
const settleMs = 30_000
const ended: ReadonlySet<string> = new Set(['completed', 'stopped', 'failed', 'cancelled'])

/** An experiment of AWS’s own. */
export const awsFis = defineFault<Params, Traces>({
  kind: 'aws.fis',
  description:
    'Starts an experiment of AWS Fault Injection Service from a template, and stops it at the end of the fault, unless its actions are over before. It counts as injected once it runs, and has the tag holdfast:fault with the number of the injection. What an action does for good (terminated instances) no stop takes back: therefore it needs an approval. Which resources are hit, the template says, and AWS chooses: the blast radius here counts its actions. It needs fis:GetExperimentTemplate, StartExperiment, GetExperiment, ListExperiments, StopExperiment and TagResource.',
  example: { region: 'eu-central-1', template: 'EXT2mKwSuJkXTCiM8' },
  params,
  traces,
  irreversible: true,
  expiry: 'never',

  async preflight({ template: id, ...aws }, context, signal) {
    const found = await openFis(aws, context, signal).template(id)
    return found === undefined ? [noTemplate(id, aws)] : templateFindings(found)
  },

  async plan({ template: id, ...aws }, context, signal) {
    const found = await openFis(aws, context, signal).template(id)
    return {
      targets: Object.entries(found?.actions ?? {}).map(([name, action]) => inWords(id, name, action)),
      traces: { ...aws, template: id, updated: found?.lastUpdateTime ?? 0 },
    }
  },

  async inject(_params, { template: id, updated, ...aws }, context, signal) {
    const { clock } = context
    const fis = openFis(aws, context, signal)
    if ((await fis.template(id))?.lastUpdateTime !== updated)
      throw new HoldfastError('fault-refused', { message: `the template ${id} has been changed since it was looked at` })
    const at = clock.now().toISOString()
    await writeNote(context, { at })
    let now = await fis.start(id)
    await writeNote(context, { at, experiment: now.id })
    for (; now.state.status === 'pending' || now.state.status === 'initiating'; now = (await fis.read(now.id)) ?? now)
      await clock.sleep(pollMs, signal)
    const { status, reason } = now.state
    if (status === 'running') return
    throw new HoldfastError('fault-failed', { message: `the experiment ${now.id} is ${status}: ${reason ?? 'AWS says no more'}` })
  },

  async look(trace, context, signal) {
    const now = await experimentOf(openFis(trace, context, signal), trace, context)
    if (now === 'hidden') return { state: 'unknown', because: hiddenText(trace) }
    if (now?.state.status === 'completed') return over(`all actions of the experiment ${now.id} are done`)
    if (now === undefined || ended.has(now.state.status)) return absent
    return now.state.status === 'running' ? present : partly(`the experiment ${now.id} is ${now.state.status}`)
  },

  async undo(trace, context, signal) {
    const fis = openFis(trace, context, signal)
    const now = await experimentOf(fis, trace, context)
    if (now === undefined) return
    if (now === 'hidden') throw new HoldfastError('command-failed', { message: hiddenText(trace), retryable: true })
    if (!ended.has(now.state.status)) {
      if (now.state.status !== 'stopping') await fis.stop(now.id)
      throw new HoldfastError('command-failed', { message: `the experiment ${now.id} was told to stop`, retryable: true })
    }
    await removeNote(context)
  },

  manualUndo({ template: id, ...aws }, injection) {
    const query = `experiments[?tags."${faultTag}"=='${injection}'].id`
    const list = ['fis', 'list-experiments', '--experiment-template-id', id, '--query', query, '--output', 'text']
    return [`for e in $(${awsByHand(aws, ...list)}); do ${awsByHand(aws, 'fis', 'stop-experiment')} --id "$e"; done`]
  },
})

/**
 * Undefined where none was started, or it is gone. `hidden` as long as what is not found may only not show yet: reads are eventually consistent, also of
 * an experiment that was seen before.
 */
async function experimentOf(
  fis: Fis,
  { template: id }: Traces,
  context: TraceContext,
): Promise<Experiment | 'hidden' | undefined> {
  const order = await readNote(context, note)
  if (order === undefined) return undefined
  const experiment = order.experiment ?? (await fis.find(id))?.id
  const found = experiment === undefined ? undefined : await fis.read(experiment)
  const maySettle = Math.abs(context.clock.now().getTime() - Date.parse(order.at)) < settleMs
  return found ?? (maySettle ? 'hidden' : undefined)
}

function hiddenText({ template: id }: Traces): string {
  return `what became of the experiment of ${id} does not show yet`
}

function templateFindings({ id, stopConditions }: Template): Finding[] {
  if (stopConditions.some(({ source }) => source !== 'none')) return []
  const message = `the template ${id} has no stop condition: AWS does not end it by itself when an alarm is raised`
  return [{ severity: 'warning', code: 'no-stop-condition', message, hint: 'name an alarm of CloudWatch in it' }]
}

function noTemplate(id: string, { region }: AwsTarget): Finding {
  return blocker(
    'no-template',
    `there is no experiment template ${id} in ${region}`,
    '`aws fis list-experiment-templates` lists them',
  )
}

function inWords(id: string, name: string, { actionId, targets = {} }: Template['actions'][string]): string {
  const where = Object.values(targets).join(', ')
  return `${name} of ${id}: ${actionId}${where === '' ? '' : ` on ${where}`}`
}
