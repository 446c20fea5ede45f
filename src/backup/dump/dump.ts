import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { Repository, Snapshot, TreeNode } from '../../repository/index.ts'
import { listTree } from '../list-tree.ts'
import type { Skipped } from '../source.ts'
import { tarOf } from './dump-tar.ts'
import { zipOf } from './dump-zip.ts'
import { fileContent, ofSize } from './file-content.ts'

export interface DumpJob {
  readonly repository: Repository
  readonly snapshot: Snapshot
  /** Of a file or a folder in it; '/' for everything. */
  readonly path: string
  /** A folder of the snapshot that `path` and the names in an archive count from; its root by default. */
  readonly root?: string
  /** How a folder is written. */
  readonly archive?: 'tar' | 'zip'
}

export interface DumpedTree {
  files: number
  folders: number
  /** Links and devices. */
  others: number
  /** Content. */
  sizeBytes: number
  /** What is not in an archive as it was, and why. */
  readonly skipped: Skipped[]
}

/** What an archive is made of. */
export interface TreeDump {
  readonly repository: Repository
  readonly snapshot: Snapshot
  readonly path: string
  /** Paths count from this folder. */
  readonly inner: string
  readonly result: DumpedTree
}

/**
 * Writes a file as it is, or a folder as an archive, to `out`: a stream that is open, or the path of a file, which is there only when it is
 * whole. Every byte is verified against its hash. Throws `not-found`, and `usage` for what is neither a file nor a folder.
 */
export async function dump(job: DumpJob, out: Writable | string, signal: AbortSignal): Promise<DumpedTree> {
  const result: DumpedTree = { files: 0, folders: 0, others: 0, sizeBytes: 0, skipped: [] }
  const bytes = await bytesOf(job, result, signal)
  if (typeof out !== 'string') {
    await pipeline(Readable.from(bytes, { objectMode: false }), out, { signal, end: false })
    return result
  }
  const temporary = `${out}.holdfast-part`
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(temporary, { flags: 'wx', flush: true }), {
      signal,
    })
    await rename(temporary, out)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) await rm(temporary, { force: true })
    throw error
  }
  return result
}

/** The content of a file, verified piece by piece. Throws as dump. */
export async function* readFile(job: DumpJob, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const node = await nodeAt(job, signal)
  if (node === undefined || node.type !== 'file')
    throw new HoldfastError('usage', {
      message: `${job.path} is no file in snapshot ${shortId(job.snapshot.id)}`,
      hint: 'list what is in it, or restore it',
    })
  yield* fileContent(job.repository, node, signal)
}

async function bytesOf(job: DumpJob, result: DumpedTree, signal: AbortSignal): Promise<AsyncGenerator<Uint8Array>> {
  const { repository, snapshot, path, root = '', archive = 'tar' } = job
  const node = await nodeAt(job, signal)
  if (node !== undefined && node.type !== 'dir') {
    if (node.type !== 'file')
      throw new HoldfastError('usage', {
        message: `${path} is neither a file nor a folder in snapshot ${shortId(snapshot.id)}: its type is ${node.type}`,
        hint: 'give the folder that it is in',
      })
    return oneFile(job, node, result, signal)
  }
  const tree: TreeDump = { repository, snapshot, path, inner: root, result }
  return archive === 'zip' ? zipOf(tree, signal) : tarOf(tree, signal)
}

async function* oneFile({ repository, path }: DumpJob, node: TreeNode, result: DumpedTree, signal: AbortSignal) {
  result.files++
  for await (const piece of ofSize(fileContent(repository, node, signal), node.size ?? 0n, Buffer.from(path))) {
    result.sizeBytes += piece.length
    yield piece
  }
}

/** Undefined for the root itself. */
async function nodeAt({ repository, snapshot, path, root = '' }: DumpJob, signal: AbortSignal): Promise<TreeNode | undefined> {
  if (path.split('/').every((part) => part === '' || part === '.')) return undefined
  for await (const { node } of listTree({ repository, snapshot, path, recursive: false, root }, signal)) return node
  return undefined
}
