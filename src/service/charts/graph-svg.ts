import { formatDuration } from '../../kernel/index.ts'
import { criticalText, type GraphMember, type ServiceGraph } from '../graph.ts'
import { element, fitting, picture, textElement } from './svg.ts'

const box = { width: 236, height: 58 }
const colours = { critical: '#b3261e', line: '#8a8f98', box: '#f4f6f8', external: '#fff8e1', text: '#1f2328', dim: '#57606a' }

/** The dependency graph as a picture: what is needed stands to the left of what needs it; the critical path is red. */
export async function graphSvg(services: ServiceGraph): Promise<string> {
  const { members, criticalPath } = services
  // Loaded by whoever wants a picture, and not by every command.
  const { Graph, layout } = await import('@dagrejs/dagre')
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 56, marginx: 16, marginy: 16 })
  graph.setDefaultEdgeLabel(() => ({}))
  const known = new Set(members.map(({ name }) => name))
  for (const { name } of members) graph.setNode(name, { ...box })
  for (const [from, to] of edgesOf(members, known)) graph.setEdge(from, to)
  layout(graph)
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  const onPath = new Set(criticalPath.slice(1).map((name, index) => `${criticalPath[index]}\0${name}`))
  const lines = edgesOf(members, known).map(([from, to]) =>
    edgeSvg((graph.edge(from, to) as { points: Point[] }).points, onPath.has(`${from}\0${to}`)),
  )
  const boxes = members.map((member) => {
    const { x, y } = graph.node(member.name) as Point
    return memberSvg(member, x - box.width / 2, y - box.height / 2)
  })
  const words = criticalPath.length < 2 ? '' : criticalText(services)
  const wide = Math.max(width, 640)
  return picture(wide, height + 34, 'what depends on what', [
    element('rect', { width: wide, height: height + 34, fill: '#fff' }),
    element('defs', {}, arrow('arrow', colours.line), arrow('arrow-critical', colours.critical)),
    ...lines,
    ...boxes,
    textElement(fitting(words, wide - 32, 13), { x: 16, y: height + 20, 'font-size': 13, fill: colours.critical }),
  ])
}

interface Point {
  readonly x: number
  readonly y: number
}

function edgesOf(members: readonly GraphMember[], known: ReadonlySet<string>): (readonly [from: string, to: string])[] {
  return members.flatMap(({ name, dependsOn }) =>
    dependsOn.filter((before) => known.has(before)).map((before) => [before, name] as const),
  )
}

function arrow(id: string, fill: string): string {
  const attributes = { id, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' }
  return element('marker', attributes, element('path', { d: 'M0 0L8 4L0 8z', fill }))
}

function edgeSvg(points: readonly Point[], critical: boolean): string {
  const d = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
  return element('path', {
    d,
    fill: 'none',
    stroke: critical ? colours.critical : colours.line,
    'stroke-width': critical ? 2 : 1.2,
    'marker-end': `url(#${critical ? 'arrow-critical' : 'arrow'})`,
  })
}

function memberSvg(member: GraphMember, x: number, y: number): string {
  const { name, kind, critical, waitsTooLong } = member
  const frame = {
    x,
    y,
    ...box,
    rx: 6,
    fill: kind === 'external' ? colours.external : colours.box,
    stroke: critical ? colours.critical : colours.line,
    'stroke-width': critical ? 2 : 1,
    ...(kind === 'external' ? { 'stroke-dasharray': '5 3' } : {}),
  }
  const line = (text: string, dy: number, attributes: Readonly<Record<string, string | number>>) =>
    textElement(fitting(text, box.width - 20, 12), { x: x + 10, y: y + dy, 'font-size': 12, ...attributes })
  return element(
    'g',
    {},
    element('rect', frame),
    line(name, 19, { 'font-weight': 600, fill: colours.text }),
    line(figures(member), 35, { fill: colours.dim }),
    line(waitsTooLong ? 'waits too long' : placeOf(member), 50, {
      fill: waitsTooLong ? colours.critical : colours.dim,
      'font-size': 11,
    }),
  )
}

function figures({ rpoMs, rtoMs, pathMs = 0, unknown, kind }: GraphMember): string {
  const parts = [
    ...(rpoMs === undefined ? [] : [`RPO ${formatDuration(rpoMs)}`]),
    ...(rtoMs === undefined
      ? []
      : [
          `RTO ${formatDuration(rtoMs)}${pathMs > rtoMs || unknown.length > 0 ? ` (${unknown.length > 0 ? '≥ ' : ''}${formatDuration(pathMs)})` : ''}`,
        ]),
  ]
  if (parts.length === 0) return 'nothing is known of it'
  return kind === 'external' ? `assumed ${parts.join(', ')}` : parts.join(', ')
}

function placeOf({ kind, tier, site }: GraphMember): string {
  if (kind === 'external') return 'external'
  return [...(tier === undefined ? [] : [`tier ${tier}`]), ...(site === undefined ? [] : [site])].join(' · ')
}
