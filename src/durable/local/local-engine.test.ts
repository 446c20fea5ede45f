import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openJournal } from '../../journal/index.ts'
import { openLocalEngine } from './local-engine.ts'
import { runFolder } from './run-folder.ts'

const at = '2026-11-26T22:00:00.000Z'

test('following a run ends with it, also where an earlier version recorded a signal behind its end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-local-engine-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  {
    await using journal = await openJournal(runFolder(directory, 'r').journal, { purpose: 'test' })
    await journal.append({ type: 'submitted', at, runId: 'r', planHash: 'a', codeVersion: '1', input: null })
    await journal.append({ type: 'ended', at, result: { state: 'completed', value: null } })
    await journal.append({ type: 'signal', at, name: 'go', value: true, letter: '1.json' })
  }
  await using engine = openLocalEngine({ directory, handler: async () => null })

  const followed = await Array.fromAsync(engine.history('r', { follow: true }))

  expect(followed.map(({ type }) => type)).toEqual(['submitted', 'ended', 'signal'])
})
