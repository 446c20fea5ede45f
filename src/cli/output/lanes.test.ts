import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asciiSymbols, boxSymbols, drawLanes, type GraphNode } from './lanes.ts'

function node(id: string, ...after: string[]): GraphNode {
  return { id, after, mark: '○' }
}

function picture(nodes: readonly GraphNode[]): string[] {
  return drawLanes(nodes, boxSymbols).map(({ id, node }) => `${node} ${id}`)
}

test('steps beside each other stand on rails of their own, which end where they are waited for', () => {
  expect(
    picture([node('fence'), node('start'), node('promote', 'fence'), node('dns', 'start', 'promote'), node('verify', 'dns')]),
  ).toEqual(['○   fence', '│ ○ start', '○ │ promote', '○─╯ dns', '○   verify'])
})

test('a rail goes on past a step that waits for it, as long as others do', () => {
  expect(picture([node('a'), node('b', 'a'), node('c', 'a'), node('d', 'b', 'c')])).toEqual(['○   a', '├─○ b', '○ │ c', '○─╯ d'])
})

test('what is said already through others is not drawn twice', () => {
  expect(picture([node('a'), node('b', 'a'), node('c', 'a', 'b')])).toEqual(['○ a', '○ b', '○ c'])
})

test('several rails that end in one step, and one that passes between them, can be told apart', () => {
  expect(picture([node('a'), node('b'), node('c'), node('d', 'a', 'c'), node('e', 'b', 'd')])).toEqual([
    '○     a',
    '│ ○   b',
    '│ │ ○ c',
    '○─┼─╯ d',
    '○─╯   e',
  ])
})

const plans = fc
  .array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 30 })
  .map((afters) =>
    afters.map((after, index) => node(`s${index}`, ...after.filter((before) => before < index).map((before) => `s${before}`))),
  )

test('each step has one row with its mark; rails stand below marks and rails only; all rows are equally wide', () => {
  fc.assert(
    fc.property(plans, (nodes) => {
      const rows = drawLanes(nodes, boxSymbols)
      expect(rows.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id))
      expect(new Set(rows.flatMap(({ node, below }) => [node.length, below.length])).size).toBe(1)
      for (const row of rows) {
        expect(row.node.replaceAll(/[^○]/g, '')).toBe('○')
        const rails = row.rails.flatMap((goesOn, lane) => (goesOn ? [row.node[2 * lane]] : []))
        for (const rail of rails) expect('○│┼├┤').toContain(rail)
      }
      // A rail leads somewhere: none is left below the last step.
      expect(rows.at(-1)?.rails.some(Boolean)).toBe(false)
    }),
  )
})

test('without box-drawing characters nothing beyond ASCII is drawn', () => {
  fc.assert(
    fc.property(plans, (nodes) => {
      const plain = nodes.map((one) => ({ ...one, mark: 'o' }))
      for (const row of drawLanes(plain, asciiSymbols)) expect(row.node + row.below).toMatch(/^[\u0020-\u007E]*$/)
    }),
  )
})
