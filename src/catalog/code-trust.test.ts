import { chmod, chown, lchown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { distrustOf } from './code-trust.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-trust-'))
  await mkdir(join(folder, 'real'), { mode: 0o755 })
  file = join(folder, 'holdfast.config.ts')
  await writeFile(file, 'export default {}\n', { mode: 0o644 })
})
afterEach(() => rm(folder, { recursive: true }))

/** `file` as a link to one in a folder of its own. */
async function linked(): Promise<string> {
  const real = join(folder, 'real', 'catalog.ts')
  await writeFile(real, 'export default {}\n', { mode: 0o644 })
  await rm(file)
  await symlink(real, file)
  return real
}

describe('code is trusted', () => {
  test('that only its user can write, also through a link', async () => {
    expect(distrustOf(file)).toBeUndefined()
    await linked()
    expect(distrustOf(file)).toBeUndefined()
  })

  test('in a folder where everybody has files of their own, as /tmp', async () => {
    await chmod(folder, 0o1777)
    expect(distrustOf(file)).toBeUndefined()
  })
})

describe('code is not trusted', () => {
  test.each([
    [0o666, 'can be written by anybody'],
    [0o664, 'can be written by its group'],
  ])('with the mode %o', async (mode, why) => {
    await chmod(file, mode)
    expect(distrustOf(file)).toBe(why)
  })

  test('in a folder where others could replace it', async () => {
    await chmod(folder, 0o775)
    expect(distrustOf(file)).toBe(`is in ${folder}, which can be written by its group`)
  })

  test('behind a link to what others can write, or could replace', async () => {
    const real = await linked()
    await chmod(real, 0o666)
    expect(distrustOf(file)).toBe(`leads to ${real}, which can be written by anybody`)
    await chmod(real, 0o644)
    await chmod(join(folder, 'real'), 0o777)
    expect(distrustOf(file)).toBe(`is in ${join(folder, 'real')}, which can be written by anybody`)
  })

  test.runIf(process.getuid?.() === 0)('that another user owns, or whose folder or link does', async () => {
    await chown(folder, 12_345, 12_345)
    expect(distrustOf(file)).toBe(`is in ${folder}, which belongs to another user (uid 12345)`)
    await chown(folder, 0, 0)
    await chown(file, 12_345, 12_345)
    expect(distrustOf(file)).toBe('belongs to another user (uid 12345)')
    await linked()
    await lchown(file, 12_345, 12_345)
    expect(distrustOf(file)).toBe('is a link that belongs to another user (uid 12345)')
  })
})
