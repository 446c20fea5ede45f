import pc from 'picocolors'
import { expect, test } from 'vitest'
import { forOneLine, forTerminal } from './for-terminal.ts'
import { table } from './table.ts'

const hostile = '\u001B]0;owned\u0007\u001B[2J\u009B8m\u202E'
const shown = String.raw`\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}8m\u{202e}`

test('a name cannot speak to the terminal', () => {
  expect(forTerminal(`cannot read ${hostile}name`)).toBe(`cannot read ${shown}name`)
  expect(table([{ title: 'Tags', value: (tag: string) => tag }], [hostile])).toContain(`\n${shown}`)
})

test('lines, tabs and letters of all languages stay as they are', () => {
  expect(forTerminal('first\n\tzweite Zeile: größer, 日本')).toBe('first\n\tzweite Zeile: größer, 日本')
})

test('a name cannot make a line of its own where one line is meant', () => {
  expect(forOneLine('a\nb\tc')).toBe(String.raw`a\u{a}b\u{9}c`)
  expect(table([{ title: 'Tags', value: (tag: string) => tag }], ['a\nb']).split('\n')).toHaveLength(2)
})

test('our own colours reach it', () => {
  for (const colour of [pc.bold, pc.dim, pc.red, pc.green, pc.yellow, pc.magenta, pc.cyan])
    expect(forTerminal(pc.bold(`${colour('a')} b`))).toBe(pc.bold(`${colour('a')} b`))
})
