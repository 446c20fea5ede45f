import { expect, test } from 'vitest'
import { describeHistory, isOnPath, parseTimelineHistory, timelineSpans } from './timeline-history.ts'

const text = '1\t0/3000148\tno recovery target specified\n\n# a comment\n2\t0/5000000\tbefore 2026-11-23 00:00:00+00\n'

test('a history file gives the line of descent', () => {
  const history = parseTimelineHistory(3, text)
  expect(timelineSpans(history)).toEqual([
    { timeline: 1, start: 0n, end: 0x3000148n },
    { timeline: 2, start: 0x3000148n, end: 0x5000000n },
    { timeline: 3, start: 0x5000000n, end: undefined },
  ])
  expect(describeHistory(history)).toBe('1 until 0/3000148, 2 until 0/5000000, 3')
  expect(isOnPath(history, 1, 0x3000148n)).toBe(true)
  expect(isOnPath(history, 1, 0x3000149n)).toBe(false)
  expect(isOnPath(history, 4, 0n)).toBe(false)
})

test('a damaged history file is refused, naming the line', () => {
  for (const [damaged, line] of [
    ['1\tnonsense\n', 1],
    ['1\t0/1\n1\t0/2\n', 2],
    ['3\t0/1\n', 1],
  ] as const) {
    expect(() => parseTimelineHistory(3, damaged)).toThrowError(
      expect.objectContaining({ code: 'object-damaged', details: expect.objectContaining({ line }) }),
    )
  }
})
