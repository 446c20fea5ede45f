import { expect, test } from 'vitest'
import { parseManifest } from './manifest.ts'

test('documents and lists are one row of objects, in their order', () => {
  const text = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
# nothing
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: shop } }
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: b, namespace: shop } }
`
  expect(parseManifest(text, 'm.yaml').map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Namespace shop',
    'ConfigMap a',
    'ConfigMap b',
  ])
})

test('scalars are what kubectl takes them for: octal modes, yes and no, and no dates', () => {
  const text = `
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data: { mode: 0644, on: yes, day: 2001-12-14, version: "1.10", text: no-thing }
`
  expect(parseManifest(text, 'm.yaml')[0]?.data).toEqual({
    mode: 420,
    true: true,
    day: '2001-12-14',
    version: '1.10',
    text: 'no-thing',
  })
})

test.each([
  ['', /no object/],
  ['# only words', /no object/],
  ['apiVersion: v1\nkind: List\nitems: []', /no object/],
  ['a: [', /m\.yaml:1:5/],
  ['apiVersion: v1\nkind: Pod\nmetadata: { generateName: x- }', /first object of m\.yaml.*metadata\.name/s],
  ['kind: Pod\nmetadata: { name: x }', /apiVersion/],
  ['just words', /object/],
  ['a: 1\na: 2', /m\.yaml:2/],
  ['apiVersion: v1\nkind: Pod\nmetadata: { name: x }\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: x }', /twice/],
])('%j is refused', (text, message) => {
  expect(() => parseManifest(text, 'm.yaml')).toThrow(message)
})
