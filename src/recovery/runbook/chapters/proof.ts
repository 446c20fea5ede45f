import { formatDuration } from '../../../kernel/index.ts'
import { code, heading, list, strong, text, type Block, type Inline } from '../document.ts'
import { isProof, type PastRecovery, type RunbookEvidence } from '../evidence.ts'
import type { Runbook } from '../model.ts'
import { longestChainMs } from '../time-limit.ts'

const shown = 5

/** Whether this was ever done, and how that went. */
export function proofChapter(runbook: Runbook, evidence: RunbookEvidence | undefined): Block[] {
  return [heading(2, 'Does it work?'), { type: 'measured', blocks: evidenceBlocks(runbook, evidence) }, ...timeBlocks(runbook)]
}

function evidenceBlocks(runbook: Runbook, evidence: RunbookEvidence | undefined): Block[] {
  const { name } = runbook.service
  if (evidence === undefined) {
    return [text('Not looked at when this was written. ', code(`holdfast status ${name}`), ' says what is known.')]
  }
  const { lookedAt, recoveries, unseen } = evidence
  const blocks: Block[] = []
  if (recoveries.length > 0) {
    blocks.push(
      list('bullet', [...latest(runbook, recoveries), ...recoveries.slice(0, shown).map((past) => resultText(runbook, past))]),
    )
  } else if (unseen.length > 0) {
    blocks.push(
      text(strong('Unknown'), ': no recovery or drill is on record in what could be looked into, and not everything could.'),
    )
  } else {
    blocks.push(text('Last recovered or drilled: ', strong('never: nobody knows whether this works'), '.'))
  }
  blocks.push(expected(runbook, evidence))
  if (unseen.length > 0) {
    blocks.push(
      list(
        'bullet',
        unseen.map(({ place, because }) => ['could not be looked into: ', code(place), `: ${because}`]),
      ),
    )
  }
  blocks.push(text(`As of ${moment(lookedAt)}.`))
  return blocks
}

function latest({ planHash }: Runbook, recoveries: readonly PastRecovery[]): Inline[][] {
  const proof = recoveries.find(isProof)
  if (proof === undefined)
    return [[strong('It never worked'), ': no recovery or drill on record came to its end with a check that passed.']]
  const newest = recoveries.find(({ outcome }) => outcome !== 'aborted')
  if (newest !== undefined && newest !== proof) {
    return [[strong('The last try did not work'), `. It last worked on ${moment(proof.time)}.`]]
  }
  const changed =
    proof.planHash === planHash ? '' : ', with another plan or another version of Holdfast: this one was never tried'
  return [['Last worked: ', strong(moment(proof.time)), changed, '.']]
}

const outcomes = { completed: 'completed', failed: 'FAILED', aborted: 'aborted' }
const verdicts = { met: 'objectives met', missed: 'objectives MISSED', unknown: 'objectives not proven' }

function resultText({ planHash }: Runbook, past: PastRecovery): Inline[] {
  const { repository, seq } = past.record
  return [
    `${moment(past.time)}: ${past.mode === 'drill' ? 'drill' : 'recovery'}${past.form === 'disaster' ? ' in the disaster form' : ''} ${outcomes[past.outcome]}, `,
    `RPA ${durationOr(past.rpaMs)}, RTA ${durationOr(past.rtaMs)}, ${verdicts[past.verdict]}, `,
    `${past.checks - past.checksFailed} of ${past.checks} checks passed`,
    `${past.planHash === planHash ? '' : ', another plan than this one'} (record ${seq} in `,
    code(repository),
    ')',
  ]
}

function durationOr(ms: number | undefined): string {
  return ms === undefined ? 'unknown' : formatDuration(ms)
}

/** Measured where there is a past run, else the time limit, and says how many of each. */
function expected({ steps, service }: Runbook, { stepTimes }: RunbookEvidence): Block {
  const measured = steps.filter(({ id }) => stepTimes.has(id)).length
  if (measured === 0) return text('How long it takes: unknown, no past run is known here.')
  const limits = new Map(steps.map(({ id, limitMs }) => [id, limitMs]))
  const totalMs = longestChainMs(steps, (id) => stepTimes.get(id)?.medianMs ?? limits.get(id) ?? 0)
  const basis =
    measured === steps.length
      ? 'every step was measured'
      : `${measured} of ${steps.length} steps were measured, the others count with their time limits`
  const late = totalMs > service.objectives.rtoMs ? ', which is longer than the RTO' : ''
  return text('How long it takes: about ', strong(formatDuration(totalMs)), `${late} (${basis}).`)
}

/** What the plan itself allows. */
function timeBlocks({ steps, service }: Runbook): Block[] {
  const limits = new Map(steps.map(({ id, limitMs }) => [id, limitMs]))
  const worstMs = longestChainMs(steps, (id) => limits.get(id) ?? 0)
  const { rtoMs } = service.objectives
  const line = `If every step takes as long as it may, this takes ${formatDuration(worstMs)}; the RTO is ${formatDuration(rtoMs)}.`
  return [text(line, ...(worstMs > rtoMs ? [' ', strong('Do not wait for a time limit to end before you call for help.')] : []))]
}

/** To the minute, in UTC, so that it reads the same everywhere. */
function moment(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
