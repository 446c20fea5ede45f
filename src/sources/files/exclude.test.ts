import { lstatSync, mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cacheMarker, createExclude, createExclusions, parseMarker } from './exclude.ts'

const noDevices = new Set<bigint>()
const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-exclude-'))

test.each([
  [['*.log', '!keep.log'], '/x/a.log', true],
  [['*.log', '!keep.log'], '/x/keep.log', false],
  [['!keep.log', '*.log'], '/x/keep.log', true],
  [['*.log', '!keep.log', '/x'], '/x', true],
  [['!*'], '/x', false],
])('patterns %j in order on %j: %j', (patterns, path, expected) => {
  expect(createExclude(patterns)(path)).toBe(expected)
})

test('a folder that a file marks is left out but for that file; a cache only if the file says so', () => {
  using dir = folder()
  const names = ['CACHEDIR.TAG', '.nobackup', 'other'].map((name) => Buffer.from(name))
  const kept = (...markers: Parameters<typeof createExclusions>[0]['markers'] & {}) =>
    createExclusions({ markers }, noDevices).keptNames(Buffer.from(dir.path), names).map(String)
  expect(kept(parseMarker('.nobackup'))).toEqual(['.nobackup'])
  expect(kept(parseMarker('.missing'))).toEqual(names.map(String))
  // Not there, or not what it must be.
  expect(kept(cacheMarker)).toEqual(names.map(String))
  writeFileSync(join(dir.path, 'CACHEDIR.TAG'), 'Signature: 0000')
  expect(kept(cacheMarker)).toEqual(names.map(String))
  writeFileSync(join(dir.path, 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n# by a test\n')
  expect(kept(cacheMarker)).toEqual(['CACHEDIR.TAG'])
  expect(kept(parseMarker('CACHEDIR.TAG:Signature'))).toEqual(['CACHEDIR.TAG'])
  mkdirSync(join(dir.path, '.nobackup'))
  expect(kept(parseMarker('.nobackup:x'))).toEqual(names.map(String))
})

test('on another file system folders stay and what is in them is left out; sizes count for files only', () => {
  using dir = folder()
  const file = join(dir.path, 'file')
  writeFileSync(file, 'x'.repeat(11))
  const [folderStat, fileStat] = [dir.path, file].map((path) => lstatSync(path, { bigint: true }))
  if (!folderStat || !fileStat) throw new Error('they are there')
  const elsewhere = createExclusions({ oneFileSystem: true }, new Set([folderStat.dev + 1n]))
  expect([elsewhere.entry(folderStat), elsewhere.entry(fileStat), elsewhere.content(folderStat)]).toEqual([false, true, true])
  const here = createExclusions({ oneFileSystem: true }, new Set([folderStat.dev]))
  expect([here.entry(fileStat), here.content(folderStat)]).toEqual([false, false])
  const limited = (largerThan: number) => createExclusions({ largerThan }, noDevices)
  expect([limited(10).entry(fileStat), limited(11).entry(fileStat), limited(1).entry(folderStat)]).toEqual([true, false, false])
})
