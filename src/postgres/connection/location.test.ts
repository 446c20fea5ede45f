import { expect, test } from 'vitest'
import { describeUrl, serverUrl, withDatabase } from './location.ts'

test('a URL is described without its password or parameters', () => {
  expect(describeUrl('postgresql://ann:s3cret@db.example:5433/orders?sslmode=require&password=other')).toBe(
    'ann@db.example:5433/orders',
  )
  expect(describeUrl('postgresql:///orders?host=/run/pg&port=5432&user=ann&password=s3cret')).toBe('ann@/run/pg:5432/orders')
  expect(describeUrl('postgresql://db.example')).toBe('db.example')
  expect(describeUrl('postgresql://ann:s3cret@/orders?host=/run/pg&port=5433')).toBe('ann@/run/pg:5433/orders')
})

test('what is not a URL is not repeated: it may hold a password', () => {
  expect(describeUrl('host=db password=s3cret')).toBe('the PostgreSQL server')
})

test('the URL of a server of ours survives odd folders and names', () => {
  const url = new URL(serverUrl({ host: '/tmp/a b&c', port: 5432, user: 'o=x', database: 'd/e' }))
  expect([url.searchParams.get('host'), url.searchParams.get('user'), decodeURIComponent(url.pathname)]).toEqual([
    '/tmp/a b&c',
    'o=x',
    '/d/e',
  ])
})

test('another database of the same server, also where the URL names no host', () => {
  expect(withDatabase('postgresql://ann@db:5433/orders?sslmode=require', 'a/b')).toBe(
    'postgresql://ann@db:5433/a%2Fb?sslmode=require',
  )
  expect(withDatabase('postgresql://ann:p%40localhost@/orders?host=/run/pg', 'shop')).toBe(
    'postgresql://ann:p%40localhost@/shop?host=/run/pg',
  )
})
