import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { workInEmptyFolder } from '../../../test/support/working-folder.ts'
import { startLogged } from './logged.ts'

test('the program that is started is the one of PATH that the preflight found, never one of the working folder', async () => {
  const folder = await workInEmptyFolder()
  await writeFile('true', '#!/bin/sh\necho stranger\n', { mode: 0o755 })
  await writeFile('mine', '#!/bin/sh\necho stranger\n', { mode: 0o755 })
  vi.stubEnv('PATH', `.:${process.env['PATH'] ?? ''}`)
  const output = join(folder, 'output')
  const { child, ended } = await startLogged({ command: ['true'], variables: {}, output })
  await ended
  expect(child.exitCode).toBe(0)
  expect(await readFile(output, 'utf8')).toBe('')
  await expect(startLogged({ command: ['mine'], variables: {}, output })).rejects.toThrow('there is no program mine')
})
