import { expect, test } from 'vitest'
import { hostPortText, parseHostPort } from './host-port.ts'

test.each(['ns1.example.com:53', '10.0.0.1:9999', '[2001:db8::1]:9999'])('%s is read, and shown as it was written', (text) => {
  const at = parseHostPort(text)
  expect(at && hostPortText(at)).toBe(text)
})

test.each(['ns1', '10.0.0.1', '2001:db8::1', '[2001:db8::1]'])('%s is one only where there is a default port', (text) => {
  expect(parseHostPort(text)).toBeUndefined()
  expect(parseHostPort(text, 53)).toEqual({ host: text.replaceAll(/[[\]]/g, ''), port: 53 })
})

test.each(['', 'ns1:0', 'ns1:65536', 'a b:1', 'https://ns1', '[10.0.0.1]:53', '${steps.a.host}:53'])('%j is none', (text) => {
  expect(parseHostPort(text, 53)).toBeUndefined()
})
