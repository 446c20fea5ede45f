import { formatDuration } from '../../../kernel/index.ts'
import { code, commands, heading, list, names, strong, text, type Block, type Fact, type Inline } from '../document.ts'
import { contactText } from './people.ts'
import { recoverLine } from '../what-to-type.ts'
import type { RunbookEvidence, StepTime } from '../evidence.ts'
import type { Runbook, RunbookStep } from '../model.ts'

/** The steps in an order in which they can be done. */
export function recoveryChapter(runbook: Runbook, evidence: RunbookEvidence | undefined): Block[] {
  const { steps } = runbook
  const recover = recoverLine(runbook)
  const noReturn = steps.filter(({ effect }) => effect === 'point-of-no-return')
  return [
    heading(2, 'Recovery'),
    text('With Holdfast, all steps at once; it asks before it begins, survives its own crash, and keeps the record:'),
    commands(
      explained([
        [`${recover} --dry-run`, 'every check, nothing touched'],
        [recover, 'to the last moment that can be recovered'],
        [`${recover} --to 2026-01-31T14:05:00Z`, 'or to a time'],
        ['holdfast run watch latest', 'in another terminal'],
        ['holdfast run resume latest', 'after a crash'],
      ]),
    ),
    text('By hand: do the steps in this order, and tick each. A step may begin as soon as those that it waits for are done.'),
    {
      type: 'table',
      columns: ['', 'Step', 'Action', 'Waits for', 'Effect', 'Time limit'],
      rows: steps.map((step) => [
        String(step.number),
        step.id,
        step.kind,
        step.after.length === 0 ? 'nothing' : step.after.join(', '),
        effectWord(step),
        formatDuration(step.limitMs),
      ]),
    },
    noReturn.length === 0
      ? text('No step is a point of no return: until the end everything that can be undone is, when a step fails.')
      : text(
          strong('Point of no return:'),
          ' ',
          ...names(noReturn.map(({ id }) => id)),
          '. Before it, a failure is rolled back. After it, only forward.',
        ),
    ...steps.map((step): Block => ({
      type: 'step',
      noReturn: step.effect === 'point-of-no-return',
      blocks: stepBlocks(step, evidence),
    })),
  ]
}

/** Each command with what it is for, one below the other. */
function explained(lines: readonly (readonly [command: string, purpose: string])[]): string[] {
  const width = Math.max(...lines.map(([line]) => line.length))
  return lines.map(([line, purpose]) => `${line.padEnd(width)}   # ${purpose}`)
}

function effectWord({ effect }: RunbookStep): string {
  return effect === 'point-of-no-return' ? 'POINT OF NO RETURN' : effect
}

function stepBlocks(step: RunbookStep, evidence: RunbookEvidence | undefined): Block[] {
  const { check, disaster } = step
  return [
    heading(3, `Step ${step.number}: ${step.id}`),
    ...(step.effect === 'point-of-no-return' ? [alarm(step)] : []),
    ...(step.description === undefined ? [] : [text(step.description)]),
    { type: 'facts', facts: stepFacts(step, evidence) },
    text(strong('By hand')),
    step.commands.length === 0 ? text('There is no plain command for it.') : commands(step.commands),
    ...(check === undefined
      ? []
      : [
          text(
            strong('Then check'),
            ` (${check.kind}), again every ${formatDuration(check.everyMs)} until it passes, at most ${formatDuration(check.timeoutMs)}:`,
          ),
          commands(check.commands),
        ]),
    ...(disaster === undefined ? [] : disasterBlocks(disaster)),
    list('check', [['done at ……………  by …………………………']]),
  ]
}

function disasterBlocks(disaster: NonNullable<RunbookStep['disaster']>): Block[] {
  const title = strong('When the source site cannot be reached')
  if ('skip' in disaster) return [text(title, `: leave this step out. ${disaster.skip}`)]
  return [
    text(title, ' (', code('holdfast recover … --disaster'), '), do this instead, ', code(disaster.kind), ':'),
    commands(disaster.commands),
    ...(disaster.check === undefined ? [] : [text('Then check:'), commands(disaster.check)]),
  ]
}

function alarm({ id }: RunbookStep): Block {
  return {
    type: 'alarm',
    title: 'POINT OF NO RETURN',
    text: [
      'Once ',
      code(id),
      ' has happened, or nobody knows whether it has, nothing is undone any more: the way is only forward. Stop before it if anything is in doubt.',
    ],
  }
}

function stepFacts(step: RunbookStep, evidence: RunbookEvidence | undefined): Fact[] {
  const { after, alongside, when, group, holdfast, secrets, outputs } = step
  return [
    ['Action', [code(step.kind), `, ${effectWord(step)}`]],
    ['Begins', after.length === 0 ? ['at once'] : ['when done: ', ...names(after)]],
    ...(alongside.length === 0 ? [] : [['May run beside', names(alongside)] satisfies Fact]),
    ...when.map(({ value, is, isNot }): Fact => [
      'Only if',
      [code(value), is === undefined ? ' is not ' : ' is ', code(is ?? isNot ?? '')],
    ]),
    ...(group === undefined
      ? []
      : [['At once', [`with ${group.limit - 1} others of the group ${group.name} at most`]] satisfies Fact]),
    ...step.approvers.map((contact): Fact => ['Ask', [contactText(contact)]]),
    ['Expect', [{ measured: expectation(step, evidence?.stepTimes.get(step.id)) }]],
    ['Time limit', [limitText(step)]],
    ['Checked by', checkText(step)],
    ['Undo', undoText(step)],
    ['If it fails', [failureText(step)]],
    ['With Holdfast', holdfast.flatMap(({ line, purpose }, index) => [index === 0 ? '' : '; ', code(line), ` ${purpose}`])],
    ...secrets.map(({ parameter, where }): Fact => ['Secret', [code(parameter), `: ${where}`]]),
    ...outputs.map((output): Fact => [
      'From before',
      [code(`\${${output}}`), ': what that step gave; ', code('holdfast run show latest')],
    ]),
  ]
}

function expectation({ limitMs }: RunbookStep, time: StepTime | undefined): Inline[] {
  if (time === undefined) return [`up to ${formatDuration(limitMs)}: its time limit, for no past run is known`]
  const { medianMs, longestMs, runs } = time
  return [
    strong(`about ${formatDuration(medianMs)}`),
    runs === 1 ? ', measured in 1 past run' : `, median of ${runs} past runs; the longest took ${formatDuration(longestMs)}`,
  ]
}

function limitText({ limitMs, timeoutMs, attempts, waits, check }: RunbookStep): string {
  const parts = [
    ...(waits ? ['it waits no longer'] : []),
    ...(!waits && attempts > 1 ? [`${attempts} attempts of ${formatDuration(timeoutMs)}, with pauses`] : []),
    ...(check === undefined ? [] : [`its check has ${formatDuration(check.timeoutMs)} of it`]),
  ]
  return `${formatDuration(limitMs)}${parts.length === 0 ? '' : ` (${parts.join('; ')})`}`
}

function checkText({ check, isCheck, checkedLater, waits }: RunbookStep): Inline[] {
  if (check !== undefined) return [code(check.kind), ', below']
  if (isCheck) return ['itself: it fails when what it sees is wrong']
  if (checkedLater !== undefined) return ['nothing of its own; next by step ', code(checkedLater)]
  return waits ? ['nothing: it only waits'] : [strong('nothing'), ': look yourself before you go on']
}

function undoText({ undo, effect, pastNoReturn }: RunbookStep): Inline[] {
  if (effect === 'point-of-no-return') return [strong('none')]
  if (effect === 'read-only') return ['not needed: it changes nothing']
  if (pastNoReturn) return ['not any more: it comes after the point of no return']
  return undo === undefined || undo.kind === 'none' ? [strong('none'), ': what it did stays'] : ['yes, see Rollback']
}

function failureText({ onFailure, pastNoReturn, effect }: RunbookStep): string {
  if (onFailure === 'continue') return 'the plan goes on without it'
  if (pastNoReturn) return 'a person decides: mend it, and do it again'
  if (onFailure === 'ask') return 'a person decides'
  if (onFailure === 'stop') return 'the run ends, and all stays as it is'
  return effect === 'point-of-no-return'
    ? 'look at the real state: if it happened, go on; if not, what was done before is undone'
    : 'what was done so far is undone, see Rollback'
}
