import { expect, test } from 'vitest'
import { parseServer, reachOfServers, serverText } from './server.ts'

test.each([
  ['ns1.example.com', { host: 'ns1.example.com', port: 53 }],
  ['10.0.0.1:5353', { host: '10.0.0.1', port: 5353 }],
  ['2001:db8::1', { host: '2001:db8::1', port: 53 }],
  ['[2001:db8::1]:5353', { host: '2001:db8::1', port: 5353 }],
])('%s is read, and shown as it was written', (text, server) => {
  expect(parseServer(text)).toEqual(server)
  expect(serverText(server)).toBe(text)
})

test.each(['', 'ns1:0', 'ns1:65536', 'a b', 'https://ns1', '[10.0.0.1]:53'])('%j is no server', (text) => {
  expect(parseServer(text)).toBeUndefined()
})

test('a drill lets a step ask only servers that are known before it runs, or all of which an earlier step gave', () => {
  expect(reachOfServers(['ns1', '${steps.a.server}'])).toEqual({ hosts: ['ns1:53'] })
  // As drill.allow.hosts has it.
  expect(reachOfServers(['2001:db8::1'])).toEqual({ hosts: ['[2001:db8::1]:53'] })
  expect(reachOfServers(['${steps.a.server}'])).toBe('local')
  expect(reachOfServers(['ns1', '${steps.a.host}:53'])).toBe('outside')
})
