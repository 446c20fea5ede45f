import { formatDuration } from '../../../kernel/index.ts'
import type { PreparedRecovery, RecoveryForecast } from '../../../service/index.ts'
import { dotGraph, mermaidGraph, type NamedGraph } from '../../output/graph-formats.ts'

export const graphFormats = ['text', 'mermaid', 'dot'] as const
export type GraphFormat = (typeof graphFormats)[number]

/** The plan as a graph for other programs. */
export function graphText({ input, steps }: PreparedRecovery, forecast: RecoveryForecast, format: 'mermaid' | 'dot'): string {
  const times = new Map(forecast.steps.map(({ id, time }) => [id, time]))
  const graph: NamedGraph = {
    name: input.plan.name,
    direction: 'down',
    nodes: steps.map(({ id, kind, effect }) => {
      const time = times.get(id)
      const usual = time === undefined ? 'never run' : `usually ${formatDuration(time.medianMs)}`
      return { id, lines: [id, kind, usual], shape: effect === 'point-of-no-return' ? 'strong' : 'box' }
    }),
    edges: steps.flatMap(({ id, after }) => after.map((before) => [before, id] as const)),
  }
  return format === 'mermaid' ? mermaidGraph(graph) : dotGraph(graph)
}
