import type { RunProgress } from './progress.ts'

/** The first of these steps that has happened, in the order of the run; undefined while everything can be undone. */
export function passedNoReturn({ steps, outcome }: RunProgress, noReturn: ReadonlySet<string>): string | undefined {
  if (outcome !== undefined) return outcome.pointOfNoReturn
  const past = [...steps.values()].filter(
    ({ id, standing }) => noReturn.has(id) && (standing === 'done' || standing === 'checking'),
  )
  return past.toSorted((a, b) => (a.sinceMs ?? 0) - (b.sinceMs ?? 0))[0]?.id
}
