import fc from 'fast-check'
import { expect, test } from 'vitest'
import { treePieces } from './pieces.ts'

const value = fc.jsonValue({ maxDepth: 3 })
const tree = fc
  .record({ nodes: fc.array(fc.dictionary(fc.string(), value), { maxLength: 20 }) })
  .map((tree) => JSON.stringify(tree))

test('the pieces of a tree are trees, and have all of its nodes in order', () => {
  fc.assert(
    fc.property(tree, fc.integer({ min: 1, max: 60 }), (json, pieceBytes) => {
      const pieces = [...treePieces(Buffer.from(`${json}\n`), pieceBytes)]
      const nodes = pieces.flatMap((piece) => (JSON.parse(piece.toString()) as { nodes: unknown[] }).nodes)
      expect(nodes).toEqual((JSON.parse(json) as { nodes: unknown[] }).nodes)
    }),
    { numRuns: 1000 },
  )
})

test('text that comes in parts, all in the same memory, gives the same pieces', () => {
  fc.assert(
    fc.property(tree, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (json, pieceBytes, partBytes) => {
      const memory = Buffer.alloc(partBytes)
      function* parts() {
        const text = Buffer.from(json)
        for (let at = 0; at < text.length; at += partBytes) yield memory.subarray(0, text.copy(memory, 0, at, at + partBytes))
      }
      const pieces = Array.from(treePieces(parts(), pieceBytes), (piece) => piece.toString())
      expect(pieces.flatMap((piece) => (JSON.parse(piece) as { nodes: unknown[] }).nodes)).toEqual(
        (JSON.parse(json) as { nodes: unknown[] }).nodes,
      )
    }),
    { numRuns: 500 },
  )
})

test('what is no tree is still none in pieces', () => {
  const isJson = (text: string) => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }
  fc.assert(
    fc.property(tree, fc.nat(), fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', 'x'), (json, at, char) => {
      const changed = json.slice(0, at % json.length) + char + json.slice((at % json.length) + 1)
      const pieces = [...treePieces(Buffer.from(changed), 10)]
      expect(pieces.every((piece) => isJson(piece.toString()))).toBe(isJson(changed))
    }),
    { numRuns: 2000 },
  )
})
