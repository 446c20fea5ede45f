import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compareFiles, writeReceipts } from './receipts.ts'

test('a missing and a changed file are lost, each by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-receipts-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const manifest = await writeReceipts(folder, 20)
  expect(await compareFiles(folder, manifest)).toMatchObject({ expected: 20, recovered: 20, lost: [] })

  const [first, second] = [...manifest.keys()]
  await unlink(join(folder, first!))
  await writeFile(join(folder, second!), 'other')
  expect(await compareFiles(folder, manifest)).toMatchObject({ recovered: 18, lost: [first, second] })
})
