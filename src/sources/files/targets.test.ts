import { expect, test } from 'vitest'
import { layOutTargets, type TargetNode } from './targets.ts'

/** The layout as nested objects: a target is its path, a directory an object with its path under ''. */
function shown(node: TargetNode): unknown {
  if (node.kind === 'target') return node.path.toString()
  return Object.fromEntries([['', node.path.toString()], ...[...node.children].map(([name, child]) => [name, shown(child)])])
}

test('an absolute target appears with every component from the root', () => {
  expect(shown(layOutTargets(['/srv/data/a', '/srv/b'], '/home'))).toEqual({
    '': '/',
    srv: { '': '/srv', data: { '': '/srv/data', a: '/srv/data/a' }, b: '/srv/b' },
  })
})

test('a relative target begins at its first component, without the dots before it', () => {
  expect(shown(layOutTargets(['sub/x', '../other/y', './z/'], '/home/me'))).toEqual({
    '': '/',
    sub: { '': '/home/me/sub', x: '/home/me/sub/x' },
    other: { '': '/home/other', y: '/home/other/y' },
    z: '/home/me/z',
  })
})

test('a target inside another one is part of it, in either order', () => {
  expect(shown(layOutTargets(['/a', '/a/b/c'], '/'))).toEqual({ '': '/', a: '/a' })
  expect(shown(layOutTargets(['/a/b/c', '/a'], '/'))).toEqual({ '': '/', a: '/a' })
})

test('bytes that are not UTF-8 are kept', () => {
  const layout = layOutTargets([Buffer.from('/tmp/\xff', 'latin1')], '/')
  const inner = layout.children.get('tmp')
  expect(inner?.kind === 'directory' && inner.children.get('\xff')).toEqual({
    kind: 'target',
    path: Buffer.from('/tmp/\xff', 'latin1'),
  })
})

test('targets of the same name from different directories are told apart', () => {
  expect(shown(layOutTargets(['data', '../other/data', '../third/data'], '/home/me'))).toEqual({
    '': '/',
    data: '/home/me/data',
    other: { '': '/home/other', data: '/home/other/data' },
    third: { '': '/home/third', data: '/home/third/data' },
  })
  expect(shown(layOutTargets(['data', '../data', '../../data'], '/home/me'))).toEqual({
    '': '/',
    data: '/home/me/data',
    'data-1': '/home/data',
    'data-2': '/data',
  })
})
