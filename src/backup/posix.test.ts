import { lstatSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { loadPosix } from './posix.ts'

const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-posix-'))
const posix = loadPosix()

describe.runIf(process.platform === 'linux')('calls that fs does not have', () => {
  test('they are there on Linux', () => {
    expect(posix).toBeDefined()
  })

  test('times keep their nanoseconds, before 1970 too, and a link is not followed', () => {
    using dir = folder()
    const file = Buffer.from(join(dir.path, 'file'))
    const link = Buffer.from(join(dir.path, 'link'))
    writeFileSync(file, '')
    symlinkSync('file', link)
    posix?.setTimes(file, { atimeNs: 1_500_000_000_123_456_789n, mtimeNs: -1n })
    posix?.setTimes(link, { atimeNs: 1n, mtimeNs: 1_700_000_000_987_654_321n })
    expect(lstatSync(file, { bigint: true })).toMatchObject({ mtimeNs: -1n, atimeNs: 1_500_000_000_123_456_789n })
    expect(lstatSync(link, { bigint: true }).mtimeNs).toBe(1_700_000_000_987_654_321n)
  })

  test('a failure has a code and the path', () => {
    const missing = Buffer.from('/nonexistent-for-holdfast')
    expect(() => posix?.setTimes(missing, { atimeNs: 0n, mtimeNs: 0n })).toThrow(
      expect.objectContaining({ code: 'ENOENT', path: missing.toString() }),
    )
  })

  test('extended attributes come back byte for byte, empty ones too', ({ skip }) => {
    using dir = folder()
    const file = Buffer.from(join(dir.path, 'file'))
    writeFileSync(file, '')
    skip(!hasUserAttributes(file), 'this file system has no user attributes')
    const values = { 'user.b': Buffer.from([0, 255, 10]), 'user.a': Buffer.alloc(0) }
    for (const [name, value] of Object.entries(values)) posix?.setAttribute(file, Buffer.from(name), value)
    const names = posix?.listAttributes(file).map((name) => name.toString())
    expect(names?.filter((name) => name.startsWith('user.')).toSorted()).toEqual(['user.a', 'user.b', 'user.probe'])
    for (const [name, value] of Object.entries(values)) expect(posix?.getAttribute(file, Buffer.from(name))).toEqual(value)
  })
})

function hasUserAttributes(file: Buffer): boolean {
  try {
    posix?.setAttribute(file, Buffer.from('user.probe'), Buffer.from('1'))
    return true
  } catch {
    return false
  }
}
