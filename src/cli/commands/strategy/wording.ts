import { formatDuration } from '../../../kernel/index.ts'
import type { Rejected, WantedObjectives } from '../../../objectives/index.ts'

/** `RPO 15 min and RTO 30 min`; what is not asked is left out. */
export function objectiveText({ rpoMs, rtoMs }: WantedObjectives): string {
  return [
    ...(rpoMs === undefined ? [] : [`RPO ${formatDuration(rpoMs)}`]),
    ...(rtoMs === undefined ? [] : [`RTO ${formatDuration(rtoMs)}`]),
  ].join(' and ')
}

export function promiseText(ms: number | undefined): string {
  return ms === undefined ? '-' : formatDuration(ms)
}

/** `misses the RTO by 30 min`. */
export function missText({ strategy, rpoExcessMs, rtoExcessMs }: Rejected): string {
  const parts = [
    ...(rpoExcessMs === undefined ? [] : [`the RPO by ${formatDuration(rpoExcessMs)} (it is ${formatDuration(strategy.rpoMs)})`]),
    ...(rtoExcessMs === undefined ? [] : [`the RTO by ${formatDuration(rtoExcessMs)} (it is ${formatDuration(strategy.rtoMs)})`]),
  ]
  return `misses ${parts.join(' and ')}`
}

/** `12,345`; `-` for what nobody knows. */
export function amountText(value: number | undefined): string {
  return value === undefined ? '-' : Math.round(value).toLocaleString('en-US')
}
