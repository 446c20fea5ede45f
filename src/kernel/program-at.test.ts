import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { workInEmptyFolder } from '../../test/support/working-folder.ts'
import { programAt } from './program-at.ts'

test('a program is looked for in PATH, without one where execvp looks, and never in the working folder', async () => {
  const folder = await workInEmptyFolder()
  await writeFile('mine', '')
  await mkdir('sh')
  await chmod('mine', 0o755)
  await mkdir('bin')
  await writeFile('bin/mine', '', { mode: 0o755 })
  expect(programAt('./mine')).toBe('./mine')
  for (const path of [undefined, '', ':/bin', '/bin:', '.:/bin', 'bin:/bin']) {
    vi.stubEnv('PATH', path)
    expect(programAt('mine')).toBeUndefined()
    expect(programAt('sh')).toBe(path === '' ? undefined : '/bin/sh')
  }
  vi.stubEnv('PATH', `/bin:${folder}`)
  expect(programAt('mine')).toBe(join(folder, 'mine'))
  // A folder is none.
  expect(programAt('./sh')).toBeUndefined()
})
