import { expect, test } from 'vitest'
import { readRunning, type RunningProcess } from './list.ts'
import { everybody, lineOf, successorsOf } from './successors.ts'

function self(): RunningProcess {
  const found = readRunning(process.pid)
  if (found === undefined) throw new Error('this process does not run')
  return found
}

test('who comes in the place of a process in the same tick of the clock is known, and who was there before is not taken for one', () => {
  const before = everybody()
  const known = self()
  const child = { ...known, parent: known.pid, name: 'worker' }
  const dead = { ...child, pid: 4_194_305 }
  const successor = { ...child, pid: 4_194_306 }
  const elsewhere = { ...successor, pid: 4_194_307, parent: 1 }
  const other = { ...child, pid: 4_194_308 }
  const there = new Set([...before, `${other.pid} ${other.started}`])
  expect(successorsOf([lineOf(dead)], [successor, elsewhere, other], there)).toEqual([successor])
})
