import { expect, test } from 'vitest'
import { harmless } from './printer.ts'

test('a file name cannot speak to the terminal through an error', () => {
  expect(harmless('cannot read \u001B]0;owned\u0007name')).toBe(String.raw`cannot read \x1b]0;owned\x07name`)
})

test('lines, tabs and letters of all languages stay as they are', () => {
  expect(harmless('first\n\tzweite Zeile: größer, 日本')).toBe('first\n\tzweite Zeile: größer, 日本')
})
