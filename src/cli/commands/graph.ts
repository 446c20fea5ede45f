import { Option } from '@commander-js/extra-typings'
import { formatDuration } from '../../kernel/index.ts'
import {
  boundText,
  criticalText,
  graphSvg,
  loadRunCatalog,
  serviceGraph,
  type GraphMember,
  type ServiceGraph,
} from '../../service/index.ts'
import { catalogPath } from '../catalog-path.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { dotGraph, mermaidGraph, type NamedGraph } from '../output/graph-formats.ts'
import { asciiSymbols, boxSymbols, drawLanes } from '../output/lanes.ts'
import { fit, paint, span, type Line } from '../output/line.ts'
import { drawsBoxes, pageColumns } from '../output/terminal.ts'

export const graphCommand = command('graph', 'what depends on what, and which chain takes the longest to come back', [
  ['holdfast graph', 'all services, each below what it needs'],
  ['holdfast graph api', 'one service with all that it needs and all that needs it'],
  ['holdfast graph --format svg > graph.svg', 'as a picture; dot and mermaid for other programs'],
])
  .argument('[service]', 'only what this service needs, and what needs it')
  .addOption(new Option('--format <format>', 'how to draw it').choices(['text', 'svg', 'dot', 'mermaid']).default('text'))
  .action(async (service, { format }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const graph = serviceGraph(catalog, service)
    const picture = format === 'svg' && !print.json ? await graphSvg(graph) : undefined
    print.result(graph, () => {
      if (picture !== undefined) return picture
      if (format === 'dot') return dotGraph(named(catalog.name, graph))
      if (format === 'mermaid') return mermaidGraph(named(catalog.name, graph))
      return graph.members.length === 0 ? 'the catalog has no services' : graphText(graph)
    })
  })

function named(name: string, { members }: ServiceGraph): NamedGraph {
  return {
    name,
    direction: 'right',
    nodes: members.map((member) => ({
      id: member.name,
      lines: [member.name, objectivesText(member)],
      shape: member.kind === 'external' ? 'dashed' : member.critical ? 'strong' : 'box',
    })),
    edges: members.flatMap(({ name: to, dependsOn }) => dependsOn.map((from) => [from, to] as const)),
  }
}

function graphText(graph: ServiceGraph): string {
  const { members, groups, criticalPath } = graph
  const boxes = drawsBoxes()
  const marks = boxes ? { critical: '●', other: '○', external: '◇' } : { critical: '*', other: 'o', external: '?' }
  const nodes = members.map(({ name, dependsOn, critical, kind }) => ({
    id: name,
    after: dependsOn,
    mark: kind === 'external' ? marks.external : critical ? marks.critical : marks.other,
  }))
  const rows = drawLanes(nodes, boxes ? boxSymbols : asciiSymbols)
  const columns = pageColumns()
  const width = Math.max(...members.map(({ name }) => name.length))
  const lines = members.map((member, index): Line => {
    const { name, kind, critical, waitsTooLong, plan } = member
    return [
      span(`${rows[index]?.node ?? ''} `, 'cyan'),
      span(name, critical ? 'bold' : undefined),
      span(`${' '.repeat(width - name.length)}  ${objectivesText(member)}`),
      ...(waitsTooLong ? [span('  waits too long', 'yellow')] : []),
      ...(kind === 'service' && plan === undefined ? [span('  no plan', 'yellow')] : []),
    ]
  })
  const marked = (name: string) =>
    members.some((member) => member.name === name && member.kind === 'external') ? `${name} (assumed)` : name
  const legend = [
    ...(criticalPath.length > 1 ? [`${marks.critical} ${criticalText(graph, marked)}`] : []),
    ...(members.some(({ waitsTooLong }) => waitsTooLong)
      ? ['waits too long: something that it depends on may be down for longer than it may itself']
      : []),
    ...groups.map(({ name, members: together }) => `group ${name}: ${together.join(', ')} come back to one point`),
    ...(members.some(({ kind }) => kind === 'external') ? [`${marks.external} external: its figures are assumed`] : []),
  ]
  return [...lines.map((line) => paint(fit(line, columns))), ...(legend.length > 0 ? ['', ...legend] : [])].join('\n')
}

/** ` (1 h 40 min with all it needs)`, where that is, or may be, longer than by itself. */
function withAll(rtoMs: number, { pathMs = rtoMs, unknown }: GraphMember): string {
  return pathMs > rtoMs || unknown.length > 0 ? ` (${boundText(pathMs, unknown)} with all it needs)` : ''
}

function objectivesText(member: GraphMember): string {
  const { kind, tier, site, rpoMs, rtoMs } = member
  const parts = [
    ...(tier === undefined ? [] : [`tier ${tier}`]),
    ...(rpoMs === undefined ? [] : [`RPO ${formatDuration(rpoMs)}`]),
    ...(rtoMs === undefined ? [] : [`RTO ${formatDuration(rtoMs)}${withAll(rtoMs, member)}`]),
    ...(site === undefined ? [] : [site]),
  ]
  const text = parts.join(', ')
  return kind === 'external' ? (text === '' ? 'external, nothing is known of it' : `external, assumed ${text}`) : text
}
