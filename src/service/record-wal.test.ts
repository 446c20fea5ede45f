import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HoldfastError } from '../kernel/index.ts'
import { openLedger } from '../ledger/index.ts'
import { createRepository } from '../repository/index.ts'
import { createMemoryBackend } from '../storage/index.ts'
import { walRecorder, type NotRecorded } from './record-wal.ts'

const connected = (startLsn: string, durableLsn: string, timeline = 1) =>
  ({ type: 'wal-connected', systemIdentifier: '7', slot: 's', timeline, startLsn, durableLsn }) as const

async function recorderOn(backend = createMemoryBackend()) {
  const repository = await createRepository(backend, 'password', { kdf: { N: 32768, r: 8, p: 1 } })
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-record-wal-'))
  const context = { service: 'orders', catalogPath: join(folder, 'holdfast.yaml') }
  const failures: NotRecorded[] = []
  const recorder = walRecorder(repository, 'nas', context, (event) => failures.push(event))
  return {
    repository,
    recorder,
    failures,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

test('a receiver’s beginning, holes, timelines and end are on record; coming back to the same timeline is not news', async () => {
  await using made = await recorderOn()
  const { repository, recorder, failures } = made
  recorder.note(connected('0/1000000', '0/1000000'))
  recorder.note({ type: 'wal-progress', timeline: 1, receivedLsn: '0/3', durableLsn: '0/2', serverLsn: '0/3', lagBytes: 1 })
  recorder.note(connected('0/1000000', '0/2'))
  recorder.note({ type: 'wal-gap', timeline: 1, from: '0/2', to: '0/9' })
  recorder.note(connected('0/9', '0/9'))
  recorder.note({ type: 'wal-timeline', from: 1, to: 2, forkLsn: '0/A' })
  recorder.note(connected('0/A', '0/A', 2))
  recorder.note({ type: 'wal-stopped', durableLsn: '0/B' })
  await recorder.settled()

  const records = await Array.fromAsync(openLedger(repository.area('holdfast/ledger')).records())
  expect(records.map(({ service, body }) => ({ service, ...body }))).toMatchObject([
    { service: 'orders', event: 'started', systemIdentifier: '7', timeline: 1, flushedLsn: '0/1000000', repository: 'nas' },
    { event: 'gap', gap: { from: '0/2', to: '0/9' }, flushedLsn: '0/9' },
    { event: 'timeline', timeline: 2, forkLsn: '0/A' },
    { event: 'stopped', timeline: 2, flushedLsn: '0/B' },
  ])
  expect(failures).toEqual([])
})

test('a ledger that cannot be written is told, and does not stop the receiver', async () => {
  const backend = createMemoryBackend()
  await using made = await recorderOn(backend)
  const { recorder, failures } = made
  backend.put = () => Promise.reject(new HoldfastError('disk-full', { message: 'no space left' }))
  recorder.note(connected('0/1', '0/1'))
  await recorder.settled()
  expect(failures).toEqual([{ type: 'wal-not-recorded', message: 'no space left' }])
})
