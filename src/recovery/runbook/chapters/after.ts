import { formatDuration } from '../../../kernel/index.ts'
import { code, commands, heading, list, names, strong, text, type Block, type Inline } from '../document.ts'
import { runbookLine } from '../what-to-type.ts'
import type { Runbook, RunbookStep } from '../model.ts'
import { calls, onCall, owner, whomToAsk } from './people.ts'

/** What shows that the service is back. */
export function verificationChapter({ service, steps, dependents }: Runbook): Block[] {
  const { health, verify } = service
  const checks = steps.flatMap((step): Inline[][] => {
    if (step.check !== undefined) return [['the check of step ', code(step.id), ` (${step.check.kind}) passes`]]
    return step.isCheck ? [['step ', code(step.id), ` (${step.kind}) passes`]] : []
  })
  const healthy: Inline[][] =
    health === undefined
      ? [[strong('the catalog declares no health check'), `: its owner (${owner(service)}) must try it as its users do`]]
      : [
          [
            health.kind === 'http' ? code(health.url) : code(`${health.host}:${health.port}`),
            ' answers as it should, from outside',
          ],
        ]
  return [
    heading(2, 'Verification'),
    ...(checks.length === 0 ? [text(strong('The plan checks nothing'), ': its end proves nothing.')] : []),
    list('check', [
      ...checks,
      ...(verify?.assert ?? []).map(({ sql, atLeast, atMost, equals }): Inline[] => [
        code(sql),
        ' gives ',
        [
          ...(equals === undefined ? [] : [String(equals)]),
          ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
          ...(atMost === undefined ? [] : [`at most ${atMost}`]),
        ].join(' and '),
      ]),
      ...healthy,
      ...dependents.map((needing): Inline[] => [code(needing.name), `, which needs it, works again (${owner(needing)})`]),
      [`the newest data is there: what is missing is no more than the RPO, ${formatDuration(service.objectives.rpoMs)}`],
    ]),
    text('Verified at ……………  by …………………………  Newest data from ……………'),
  ]
}

/** How to take it back. */
export function rollbackChapter({ steps, rollback }: Runbook): Block[] {
  const noReturn = steps.filter(({ effect }) => effect === 'point-of-no-return').map(({ id }) => id)
  return [
    heading(2, 'Rollback'),
    ...(noReturn.length === 0 ? [] : [forwardOnly(noReturn)]),
    text('With Holdfast:'),
    commands(['holdfast run abort latest --reason WHY']),
    ...(rollback.length === 0
      ? [text('By hand: there is nothing to take back', noReturn.length === 0 ? '.' : ' before the point of no return.')]
      : [
          text(
            noReturn.length === 0 ? 'By hand' : 'By hand, before the point of no return',
            ': in this order, the reverse of the recovery. Leave out the steps that were not begun.',
          ),
          ...rollback.flatMap((undo): Block[] => {
            const step = steps.find(({ id }) => id === undo.step)
            return [text(strong(`Undo step ${step?.number ?? ''}: ${undo.step}`)), ...undoBlocks(undo.kind, undo.commands, step)]
          }),
        ]),
  ]
}

function undoBlocks(kind: 'automatic' | 'declared' | 'none', lines: readonly string[], step: RunbookStep | undefined): Block[] {
  if (kind === 'none')
    return [text(strong('There is no undo'), `: what ${step?.kind ?? 'it'} did stays, and must be looked at by hand.`)]
  return lines.length === 0 ? [text('There is no plain command for it: Holdfast takes it back.')] : [commands(lines)]
}

function forwardOnly(noReturn: readonly string[]): Block {
  return {
    type: 'alarm',
    title: 'After the point of no return there is no rollback',
    text: [
      'When ',
      ...names(noReturn, 'or'),
      ' has happened, or nobody knows whether it has, go only forward: mend what is wrong and do the failed step again (',
      code('holdfast run decide latest STEP not-done'),
      '). Going back to the old state is a recovery of its own, and loses what was written since.',
    ],
  }
}

/** Whom to call, and when. */
export function escalationChapter({ service, dependencies, external, dependents }: Runbook): Block[] {
  return [
    heading(2, 'Escalation'),
    ...(service.escalation.length === 0
      ? []
      : [text('While nobody has taken it over, counted from the first call:'), list('number', calls(service)), text('And:')]),
    list('number', [
      ['On call for ', code(service.name), ': ', strong(onCall(service))],
      [`Its owner: ${owner(service)}`],
      ...dependencies.map(({ service: needed }): Inline[] => [
        'For ',
        code(needed.name),
        `, which it needs: ${onCall(needed)}, owner ${owner(needed)}`,
      ]),
      ...external.map((other): Inline[] => [
        'For ',
        code(other.name),
        `, which others run: ${whomToAsk(other) ?? 'the catalog does not say whom to ask'}`,
      ]),
      ...dependents.map((needing): Inline[] => [
        'Tell ',
        code(needing.name),
        `, which needs it: ${onCall(needing)}, owner ${owner(needing)}`,
      ]),
    ]),
    text('Call the next one as soon as one of these is true:'),
    list('bullet', [
      ['nobody answers'],
      [`it can be seen that the RTO (${formatDuration(service.objectives.rtoMs)} from the onset) will not be met`],
      ['nobody knows whether a step happened'],
      ['a step fails after the point of no return, or an undo fails'],
      ['more data is lost than the RPO allows'],
    ]),
  ]
}

/** What is left to do when it is up again. */
export function afterwardsChapter(runbook: Runbook): Block[] {
  const { service, plan, data, copies } = runbook
  const { postgres } = service.data
  return [
    heading(2, 'Afterwards'),
    list('check', [
      ['those who use it are told, also what data is lost'],
      ['the old server cannot come back and take writes'],
      ...(copies.length === 0
        ? []
        : [[code(`holdfast backup --service ${service.name}`), ': the recovered state is protected again'] satisfies Inline[]]),
      ...(postgres === undefined || postgres.wal === 'none'
        ? []
        : [[code(`holdfast postgres receive-wal ${service.name}`), ' runs against the new server'] satisfies Inline[]]),
      [code(`holdfast status ${service.name}`), ' says what could be recovered from now on'],
      ['the record is kept: ', code('holdfast run show latest'), ', ', code('holdfast ledger verify')],
      ['onset, decision, recovery and verification are written down with their times; what was lost too'],
      ['what went wrong, and what was missing in this runbook, has an owner and a date'],
      [
        ...(data.length > 0 ? ['the catalog says where the data is now, and ' satisfies Inline] : []),
        'the plan ',
        code(plan.name),
        ' is corrected',
      ],
      [code(`${runbookLine(runbook)} --output FILE`), ': this runbook is written anew, printed and put where it was'],
    ]),
  ]
}
