import { expect, test } from 'vitest'
import { farthest, reachOfFolder, reachOfUrl } from './reach.ts'

test.each([
  ['https://api.example.com/health', { hosts: ['api.example.com:443'] }],
  ['postgres://app:${steps.key.stdout}@db.example.com/orders', { hosts: ['db.example.com:5432'] }],
  ['http://api.example.com:${steps.start.port}/', { hosts: ['api.example.com'] }],
  ['http://[2001:db8::1]:8080/', { hosts: ['[2001:db8::1]:8080'] }],
  ['${steps.start.url}', 'local'],
  ['${steps.start.url}/orders?sslmode=disable', 'local'],
  ['${steps.start.url}&application_name=drill', 'local'],
  ['http://${steps.start.host}:8080/', 'local'],
  ['http://${steps.start.name}.example.com/', 'outside'],
  ['${steps.start.scheme}://db.example.com/', 'outside'],
  ['${steps.start.host}.example.com', 'outside'],
  ['${steps.start.url}?host=db.example.com', 'outside'],
  ['postgres://localhost/orders?host=db.example.com', 'outside'],
  [{ env: 'URL' }, 'outside'],
] as const)('how far a step reaches that connects to %j', (url, reach) => {
  expect(reachOfUrl(url)).toEqual(reach)
})

test.each([
  ['/sandbox/data', 'local'],
  ['/sandbox/../data', 'outside'],
  ['/var/lib/data', 'outside'],
  ['${steps.restore.dataDirectory}', 'local'],
  ['${steps.restore.dataDirectory}/base', 'local'],
  ['${steps.restore.dataDirectory}-old', 'outside'],
])('how far a step reaches that works on %s', (path, reach) => {
  expect(reachOfFolder(path, '/sandbox')).toBe(reach)
})

test('several things reach as far as the farthest of them', () => {
  const [a, b] = [{ hosts: ['a:1'] }, { hosts: ['b:2', 'a:1'] }]
  expect(farthest([a, 'local', b])).toEqual({ hosts: ['a:1', 'b:2'] })
  expect(farthest(['local'])).toBe('local')
  expect(farthest([a, 'outside'])).toBe('outside')
})
