/** A graph for other programs. */
export interface NamedGraph {
  readonly name: string
  readonly nodes: readonly {
    readonly id: string
    readonly lines: readonly string[]
    readonly shape: 'box' | 'strong' | 'dashed'
  }[]
  /** By ids, from what comes first. Those of unknown ids are left out. */
  readonly edges: readonly (readonly [from: string, to: string])[]
  readonly direction: 'down' | 'right'
}

/** Mermaid draws it in Markdown. Nodes are numbered: what they are called would not always be a name there. */
export function mermaidGraph({ nodes, edges, direction }: NamedGraph): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `s${index + 1}`]))
  return [
    `flowchart ${direction === 'down' ? 'TD' : 'LR'}`,
    ...nodes.map(({ id, lines, shape }) => {
      const label = `"${lines.map(mermaidText).join('<br/>')}"`
      const drawn = shape === 'strong' ? `{{${label}}}:::strong` : shape === 'dashed' ? `([${label}]):::dashed` : `[${label}]`
      return `  ${names.get(id)}${drawn}`
    }),
    ...known(edges, names).map(([from, to]) => `  ${from} --> ${to}`),
    ...(nodes.some(({ shape }) => shape === 'strong') ? ['  classDef strong stroke-width:4px,stroke-dasharray:6 3'] : []),
    ...(nodes.some(({ shape }) => shape === 'dashed') ? ['  classDef dashed stroke-dasharray:4 4'] : []),
  ].join('\n')
}

/** Graphviz draws it anywhere: `dot -Tsvg`. */
export function dotGraph({ name, nodes, edges, direction }: NamedGraph): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `s${index + 1}`]))
  const shapes = { box: '', strong: ', shape=octagon, penwidth=3', dashed: ', style=dashed' }
  return [
    `digraph ${dotText([name])} {`,
    ...(direction === 'right' ? ['  rankdir=LR'] : []),
    '  node [shape=box, fontname="sans-serif"]',
    ...nodes.map(({ id, lines, shape }) => `  ${names.get(id)} [label=${dotText(lines)}${shapes[shape]}]`),
    ...known(edges, names).map(([from, to]) => `  ${from} -> ${to}`),
    '}',
  ].join('\n')
}

function known(edges: NamedGraph['edges'], names: ReadonlyMap<string, string>): [string, string][] {
  return edges.flatMap(([from, to]) => {
    const [first, second] = [names.get(from), names.get(to)]
    return first === undefined || second === undefined ? [] : [[first, second] as [string, string]]
  })
}

function mermaidText(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} ._:/-]/gu, (character) => `#${character.codePointAt(0)};`)
}

function dotText(lines: readonly string[]): string {
  return `"${lines.map((line) => line.replaceAll(/[\\"]/g, String.raw`\$&`)).join(String.raw`\n`)}"`
}
