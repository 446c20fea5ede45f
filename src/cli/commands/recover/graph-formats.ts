import { formatDuration } from '../../../kernel/index.ts'
import type { PreparedRecovery, RecoveryForecast } from '../../../service/index.ts'

export const graphFormats = ['text', 'mermaid', 'dot'] as const
export type GraphFormat = (typeof graphFormats)[number]

/** The plan as a graph for other programs: Mermaid draws it in Markdown, Graphviz (`dot -Tsvg`) anywhere. */
export function graphText({ input, steps }: PreparedRecovery, forecast: RecoveryForecast, format: 'mermaid' | 'dot'): string {
  const times = new Map(forecast.steps.map(({ id, time }) => [id, time]))
  const names = new Map(steps.map(({ id }, index) => [id, `s${index + 1}`]))
  const nodes = steps.map(({ id, kind, effect }, index) => {
    const time = times.get(id)
    const usual = time === undefined ? 'never run' : `usually ${formatDuration(time.medianMs)}`
    return { name: `s${index + 1}`, lines: [id, kind, usual], isFinal: effect === 'point-of-no-return' }
  })
  const edges = steps.flatMap(({ id, after }) => after.map((before) => [names.get(before) ?? '', names.get(id) ?? ''] as const))
  if (format === 'mermaid') {
    return [
      'flowchart TD',
      ...nodes.map(({ name, lines, isFinal }) => {
        const label = `"${lines.map(mermaidText).join('<br/>')}"`
        return `  ${name}${isFinal ? `{{${label}}}:::final` : `[${label}]`}`
      }),
      ...edges.map(([from, to]) => `  ${from} --> ${to}`),
      '  classDef final stroke-width:4px,stroke-dasharray:6 3',
    ].join('\n')
  }
  return [
    `digraph ${dotText([input.plan.name])} {`,
    '  node [shape=box, fontname="sans-serif"]',
    ...nodes.map(
      ({ name, lines, isFinal }) => `  ${name} [label=${dotText(lines)}${isFinal ? ', shape=octagon, penwidth=3' : ''}]`,
    ),
    ...edges.map(([from, to]) => `  ${from} -> ${to}`),
    '}',
  ].join('\n')
}

function mermaidText(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} ._:/-]/gu, (character) => `#${character.codePointAt(0)};`)
}

function dotText(lines: readonly string[]): string {
  return `"${lines.map((line) => line.replaceAll(/[\\"]/g, String.raw`\$&`)).join(String.raw`\n`)}"`
}
