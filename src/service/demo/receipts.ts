import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { systemCode } from '../../kernel/index.ts'

/** Paths relative to the folder, each with the SHA-256 of its content. */
export type FileManifest = ReadonlyMap<string, string>

/** Fills a folder with files of several sizes in a small tree and says what each contains. Deterministic: no two files are alike. */
export async function writeReceipts(folder: string, count: number): Promise<FileManifest> {
  const manifest = new Map<string, string>()
  for (let index = 0; index < count; index++) {
    const path = join(`day-${index % 7}`, `receipt-${String(index).padStart(5, '0')}.txt`)
    // Most are small; one in fifty spans several chunks.
    const lines = index % 50 === 49 ? 60_000 : 1 + ((index * 37) % 400)
    const text = Array.from({ length: lines }, (_, line) => `receipt ${index}, line ${line}\n`).join('')
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
    manifest.set(path, createHash('sha256').update(text).digest('hex'))
  }
  return manifest
}

export interface FileComparison {
  readonly expected: number
  readonly recovered: number
  /** Missing, or with another content. */
  readonly lost: readonly string[]
}

/** Reads every file of the manifest back and compares its content. */
export async function compareFiles(folder: string, manifest: FileManifest): Promise<FileComparison> {
  const lost: string[] = []
  for (const [path, sha256] of manifest) if ((await hashFile(join(folder, path))) !== sha256) lost.push(path)
  return { expected: manifest.size, recovered: manifest.size - lost.length, lost }
}

async function hashFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}
