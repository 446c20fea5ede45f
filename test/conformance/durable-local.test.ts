import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalEngine } from '../../src/durable/index.ts'
import { durableEngineConformance } from './durable.ts'

durableEngineConformance('the local engine', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-engine-'))
  return {
    open: (handler) => openLocalEngine({ directory, handler }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
})
