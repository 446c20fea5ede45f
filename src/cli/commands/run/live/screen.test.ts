import { EventEmitter } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { span, type Line } from '../../../output/line.ts'
import { openScreen } from './screen.ts'

/** What a screen writes to, with every write kept. */
function terminal(columns = 80) {
  const writes: string[] = []
  const fd = openSync('/dev/null', 'w')
  const events = new EventEmitter()
  const stream = {
    columns,
    fd,
    writes,
    emit: events.emit.bind(events),
    on: events.on.bind(events) as never,
    off: events.off.bind(events) as never,
    write: (text: string) => {
      writes.push(text)
      return true
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
  return stream
}

const lines = (...texts: readonly string[]): Line[] => texts.map((text) => [span(text)])

test('a picture is drawn in one write, over the one before, and not at all when it is the same', () => {
  using tty = terminal()
  using screen = openScreen(tty)
  screen.draw(lines('one', 'two'))
  screen.draw(lines('one', 'two'))
  screen.draw(lines('one'))
  expect(tty.writes).toEqual([
    '\u001B[?25lone\u001B[K\ntwo\u001B[K\n\u001B[J',
    // Two lines up, and what is below the shorter one is erased.
    '\u001B[2A\rone\u001B[K\n\u001B[J',
  ])
})

test('lines that a narrower terminal has broken are counted as what they have become', () => {
  using tty = terminal(80)
  using screen = openScreen(tty)
  screen.draw(lines('x'.repeat(79), 'y'))
  tty.columns = 40
  screen.draw(lines('x'))
  expect(tty.writes[1]?.startsWith('\u001B[3A')).toBe(true)
})

test('when the terminal goes away nothing is thrown, and nothing more is written', () => {
  using tty = terminal()
  using screen = openScreen(tty)
  screen.draw(lines('one'))
  tty.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }))
  screen.draw(lines('two'))
  expect(tty.writes).toHaveLength(1)
})
