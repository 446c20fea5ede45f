import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fit, lineWidth, span, textWidth, wrap } from './line.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('日本', 'a\u0301', '👩‍🚒', '\u001B[31m'),
)
const anyLine = fc.array(
  anyText.map((text) => span(text)),
  { maxLength: 6 },
)

test('a line that was fitted is never wider than the terminal, and has nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(anyLine, fc.nat(60), (line, columns) => {
      const fitted = fit(line, columns)
      expect(lineWidth(fitted)).toBeLessThanOrEqual(columns)
      expect(fitted.map(({ text }) => text).join('')).not.toMatch(/\p{Cc}/u)
    }),
  )
})

test('what fits stays as it is, what does not ends in an ellipsis', () => {
  expect(fit([span('größer'), span(' 日本')], 11)).toEqual([span('größer'), span(' 日本')])
  expect(fit([span('größer'), span(' 日本')], 10)).toEqual([span('größer'), span(' 日…')])
  expect(fit([span('größer'), span(' 日本')], 9)).toEqual([span('größer'), span(' …')])
})

test.for([
  ['abc', 3],
  ['日本', 4],
  ['a\u0301', 1],
  ['👩‍🚒', 2],
  ['│├╯', 3],
] as const)('%s takes %i columns', ([text, width]) => {
  expect(textWidth(text)).toBe(width)
})

test('parts that do not fit beside each other go below, and all of them are there', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }),
      fc.integer({ min: 10, max: 40 }),
      (words, columns) => {
        const lines = wrap(
          [span('> ')],
          words.map((word) => span(word)),
          ' · ',
          columns,
        )
        for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns)
        const text = lines
          .map((line) =>
            line
              .map(({ text }) => text)
              .join('')
              .slice(2),
          )
          .join(' · ')
        expect(text).toBe(words.join(' · '))
      },
    ),
  )
})
