import { describe, expect, test } from 'vitest'
import { conninfo } from './conninfo.ts'

describe('a connection URL for PostgreSQL’s own programs', () => {
  test('keeps the password apart, and what libpq does not know out', () => {
    expect(conninfo('postgresql://ann:p%40ss@db-west:5433/orders?sslmode=require&uselibpqcompat=true')).toEqual({
      text: 'host=db-west port=5433 user=ann dbname=orders sslmode=require',
      password: 'p@ss',
    })
  })

  test('takes a socket folder, and quotes what needs it', () => {
    const { text } = conninfo("postgresql:///postgres?host=/run/my%20pg&user=o'neil", { application_name: 'west' })
    expect(text).toBe(`dbname=postgres host='/run/my pg' user='o\\'neil' application_name=west`)
    expect(conninfo('postgresql://ann@/orders?host=/run/pg').text).toBe('host=/run/pg user=ann dbname=orders')
    expect(conninfo('postgresql://ann@[fd00::7]:5433/orders').text).toBe('host=fd00::7 port=5433 user=ann dbname=orders')
  })

  test('refuses what is no URL, without repeating it: it may hold a password', () => {
    expect(() => conninfo('postgresql://ann:s3cret@a:1,b:2/orders')).toThrow(/^(?!.*s3cret).*cannot be read/)
  })
})
