import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawnSync } from 'node:child_process'
import { createRepository, type IndexedPack } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import type { Benchmark, Figure } from '../benchmark.ts'
import { spreadOf } from '../measure.ts'
import { SeededBytes } from './bytes.ts'
import { timed, type Command, type Took } from './timed.ts'

const password = 'bench'
const blobsPerFile = 50_000
const blobsPerPack = 250
const loader = fileURLToPath(new URL('./index-load-process.ts', import.meta.url))

/**
 * The index of a large repository, and of ones of a quarter and a sixteenth: what it takes to load, in a process of its own. HOLDFAST_BENCH_FOLDER:
 * where to work.
 */
export const indexLoad: Benchmark = {
  name: 'index',
  about: 'loading indexes of 625,000, 2,500,000 and 10,000,000 blobs',
  async measure(rounds) {
    const base = process.env.HOLDFAST_BENCH_FOLDER ?? tmpdir()
    mkdirSync(base, { recursive: true })
    const folder = mkdtempSync(join(base, 'index-'))
    try {
      const figures: Figure[] = []
      for (const blobs of [625_000, 2_500_000, 10_000_000]) {
        const path = join(folder, String(blobs))
        await makeIndex(path, blobs)
        figures.push(...figuresOf(blobs, path, folder, rounds))
        rmSync(path, { recursive: true })
      }
      return figures
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function figuresOf(blobs: number, path: string, folder: string, rounds: number): Figure[] {
  const command: Command = { argv: [process.execPath, '--no-warnings', loader, path, password] }
  const said = JSON.parse(spawnSync(command.argv[0], command.argv.slice(1), { encoding: 'utf8' }).stdout) as {
    size: number
    bytes: number
  }
  if (said.size !== blobs) throw new Error(`${said.size} blobs were loaded of ${blobs}`)
  const took = Array.from({ length: rounds }, () => timed(command, folder))
  const what = `${blobs.toLocaleString('en')} blobs`
  const largest = blobs === 10_000_000
  const spread = (of: (one: Took) => number) => spreadOf(took.map(of))
  return [
    { what: `${what}: time`, unit: 's', value: spread(({ wallSeconds }) => wallSeconds), ...(largest && { goal: 15 }) },
    { what: `${what}: processor time`, unit: 's', value: spread(({ cpuSeconds }) => cpuSeconds) },
    { what: `${what}: peak memory`, unit: 'MiB', value: spread(({ peakMiB }) => peakMiB), ...(largest && { goal: 667 }) },
    { what: `${what}: index`, unit: 'bytes a blob', value: spreadOf([said.bytes / blobs]), ...(largest && { goal: 48 }) },
  ]
}

/** A repository with nothing in it but indexes, of packs that are nowhere: blobs of all sizes that chunks have, ids as random as hashes. */
async function makeIndex(path: string, blobs: number): Promise<void> {
  await using backend = await openLocalBackend(path)
  await using repository = await createRepository(backend, password)
  const random = new SeededBytes(`index of ${blobs}`)
  for (let done = 0; done < blobs; done += blobsPerFile) {
    const packs: IndexedPack[] = []
    const blobsLeft = Math.min(blobsPerFile, blobs - done)
    for (let pack = 0; pack < blobsLeft / blobsPerPack; pack++) packs.push(somePack(random))
    await repository.saveIndex(packs)
  }
}

function somePack(random: SeededBytes): IndexedPack {
  const ids = random.random((blobsPerPack + 1) * 32)
  const sizes = random.random(blobsPerPack * 4)
  let offset = 0
  const blobs = Array.from({ length: blobsPerPack }, (_, at) => {
    const uncompressedLength = 1000 + (sizes.readUInt32LE(at * 4) % 2_000_000)
    const length = 32 + Math.floor(uncompressedLength / (1 + (uncompressedLength % 7) / 3))
    const blob = { type: 'data', id: ids.toString('hex', at * 32, at * 32 + 32), offset, length, uncompressedLength } as const
    offset += length
    return blob
  })
  return { id: ids.toString('hex', blobsPerPack * 32), blobs }
}
