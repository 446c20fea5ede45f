import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openJournal } from '../../journal/index.ts'
import { runFolder } from './run-folder.ts'
import { RunReader } from './run-reader.ts'

const submitted = { type: 'submitted', at: '2026-11-26T22:00:00.000Z', runId: 'r', planHash: 'a', codeVersion: '1', input: null }

test('an event that is not understood is told of each time, not passed over the second', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-run-reader-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const folder = runFolder(directory, 'r')
  {
    await using journal = await openJournal(folder.journal, { purpose: 'test' })
    await journal.append(submitted)
    await journal.append({ type: 'of-another-version' })
  }
  const reader = new RunReader(folder)
  for (let times = 0; times < 2; times++) await expect(reader.events()).rejects.toMatchObject({ code: 'journal-damaged' })
})
