import { formatDuration } from '../../../kernel/index.ts'
import type { StepFinding } from '../../../recovery/index.ts'
import type { PreparedRecovery, RecoveryForecast } from '../../../service/index.ts'
import { fit, inAscii, paint, span, wrap, type Line } from '../../output/line.ts'
import { drawsBoxes, pageColumns } from '../../output/terminal.ts'
import { legend, planPicture, type PictureOptions } from './plan-picture.ts'
import { counted } from '../../output/counted.ts'

/** A plan for whoever decides whether to run it. */
export function planText({ input, steps }: PreparedRecovery, forecast: RecoveryForecast, options = onThisTerminal()): string {
  const title: Line = [
    span(`plan ${input.plan.name}`, 'bold'),
    span(` ${input.planHash.slice(0, 12)}`, 'dim'),
    span(` · ${counted(steps.length, 'step')}`),
    ...(input.form === 'disaster' ? [span(' · disaster form', 'yellow')] : []),
    ...(input.restoreFrom === undefined ? [] : [span(` · from ${input.restoreFrom.repository}`, 'yellow')]),
  ]
  const lines = [
    fit(title, options.columns),
    ...wrap([], legend(options), '   ', options.columns),
    [],
    ...planPicture(steps, forecast, options),
    [],
    ...expectedLines(forecast, options.columns),
  ]
  return lines.map((line) => paint(options.boxes ? line : inAscii(line))).join('\n')
}

export function onThisTerminal(stream: { readonly columns?: number } = process.stdout): PictureOptions {
  return { columns: pageColumns(stream), boxes: drawsBoxes() }
}

/** What is expected of the whole plan, against the objective. */
export function expectedLines(
  { totalMs, basis, neverRun, criticalPath, rtoMs, fits }: RecoveryForecast,
  columns: number,
): Line[] {
  const objective = `RTO ${formatDuration(rtoMs)}`
  if (totalMs === 0 && neverRun.length > 0) {
    return wrap(
      [],
      [span('expected: unknown', 'yellow'), span('no step of this plan has run before'), span(objective)],
      ' · ',
      columns,
    )
  }
  const verdict =
    fits === undefined
      ? span(`${objective}: unknown`, 'yellow')
      : fits
        ? span(`${objective}: fits, ${formatDuration(rtoMs - totalMs)} to spare`, 'green')
        : span(`${objective}: too long by ${formatDuration(totalMs - rtoMs)}`, 'red')
  const total = basis === 'estimated' ? `expected: ${formatDuration(totalMs)}` : `expected: at least ${formatDuration(totalMs)}`
  const why = basis === 'estimated' ? 'estimated from past runs' : `never run: ${neverRun.join(', ')}`
  return [
    ...wrap([], [span(total, 'bold'), span(why), verdict], ' · ', columns),
    ...wrap([], [span('critical path:', 'dim'), ...criticalPath.map((id) => span(id, 'dim'))], ' ', columns),
  ]
}

/** The plain commands that do each step. */
export function manualText({ steps }: PreparedRecovery): string {
  const blocks = steps.map(({ id, manual }) => [`  # ${id}`, ...manual.map((line) => `  ${line}`)].join('\n'))
  return `${paint([span('by hand', 'bold')])}\n${blocks.join('\n')}`
}

/** What stands in the way first; what one step has beside each other. */
export function findingsText(findings: readonly StepFinding[], options = onThisTerminal()): string {
  if (findings.length === 0)
    return paint([span(options.boxes ? '✓' : 'ok', 'green'), span(' the preflight found nothing in the way')])
  return (['blocker', 'warning'] as const)
    .flatMap((severity) => {
      const such = findings.filter((finding) => finding.severity === severity)
      if (such.length === 0) return []
      const style = severity === 'blocker' ? 'red' : 'yellow'
      const count = counted(such.length, severity)
      const title = severity === 'blocker' ? `${count}: the run would not begin` : count
      return [paint([span(title, style)]), ...such.toSorted((a, b) => order(a, findings) - order(b, findings)).map(findingText)]
    })
    .join('\n')
}

/** Where the first finding of the same step stands. */
function order({ step }: StepFinding, findings: readonly StepFinding[]): number {
  return findings.findIndex((finding) => finding.step === step)
}

function findingText({ step, message, hint }: StepFinding): string {
  const lines = [paint([span(`  ${step}: `, 'bold'), span(message)])]
  if (hint !== undefined) lines.push(paint([span('    HINT: ', 'bold'), span(hint)]))
  return lines.join('\n')
}
