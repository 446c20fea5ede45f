import { expect, test } from 'vitest'
import { apiPath } from './path.ts'

test('a path names an object', () => {
  expect(apiPath('/api/v1', 'namespaces', 'shop', 'pods', 'a b:c')).toBe('/api/v1/namespaces/shop/pods/a%20b%3Ac')
})

test.each(['', '.', '..', '../secrets', 'a/b', '%2e%2e'])('%j names none: a URL would make another path of it', (name) => {
  expect(() => apiPath('/api/v1', 'namespaces', 'shop', 'secrets', name)).toThrow(expect.objectContaining({ code: 'usage' }))
  expect(() => apiPath('/api/v1', 'namespaces', name, 'secrets')).toThrow('is no name of an object')
})
