import { findSubtree } from '../../../backup/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import type { Repository } from '../../../repository/index.ts'
import { idByPrefix } from '../../id-by-prefix.ts'
import { splitSnapshot } from '../../snapshot-options.ts'

export const catKinds = ['config', 'masterkey', 'key', 'snapshot', 'index', 'lock', 'pack', 'tree', 'blob'] as const
export type CatKind = (typeof catKinds)[number]

/** What is stored: JSON with a line end behind it, or for packs, trees and blobs their bytes. */
export async function readObject(
  repository: Repository,
  kind: CatKind,
  id: string | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (kind === 'config') {
    const { version, id, chunkerPolynomial } = repository.config
    return line(JSON.stringify({ version, id, chunker_polynomial: chunkerPolynomial.toString(16) }))
  }
  if (kind === 'masterkey') return line(repository.keys.masterKey())
  if (id === undefined)
    throw new HoldfastError('usage', { message: `which ${kind} is not said`, hint: `give its id: cat ${kind} ID` })
  switch (kind) {
    case 'snapshot':
      return line((await repository.findSnapshot(id, {}, signal)).raw)
    case 'index':
      return line(await repository.readUnpacked('index', await stored(repository, 'index', id, kind, signal), signal))
    case 'lock':
      return line(await repository.readUnpacked('locks', await stored(repository, 'locks', id, kind, signal), signal))
    case 'key':
      return line(await repository.backend.get('keys', await stored(repository, 'keys', id, kind, signal), { signal }))
    case 'pack':
      return repository.backend.get('data', await stored(repository, 'data', id, kind, signal), { signal })
    case 'tree':
      return repository.readBlob('tree', await treeId(repository, id, signal), signal)
    default: {
      const index = await repository.loadIndex(signal)
      const blob = await blobId(repository, id, signal)
      return repository.readBlob(index.has('data', blob) ? 'data' : 'tree', blob, signal)
    }
  }
}

async function stored(
  repository: Repository,
  kind: 'index' | 'locks' | 'keys' | 'data',
  id: string,
  what: string,
  signal: AbortSignal,
): Promise<string> {
  if (isWhole(id)) return id
  const listed = await Array.fromAsync(repository.backend.list(kind, '', signal), ({ name }) => name)
  return idByPrefix(listed, id, what)
}

/** `SNAPSHOT:PATH` for a folder, or the id of a tree. */
async function treeId(repository: Repository, text: string, signal: AbortSignal): Promise<string> {
  const { id, subtree } = splitSnapshot(text)
  if (subtree === undefined) return blobId(repository, id, signal, 'tree')
  return findSubtree(repository, await repository.findSnapshot(id, {}, signal), subtree, signal)
}

async function blobId(repository: Repository, id: string, signal: AbortSignal, only?: 'tree'): Promise<string> {
  if (isWhole(id)) return id
  const ids = new Set<string>()
  for (const blob of (await repository.loadIndex(signal)).entries())
    if (blob.id.startsWith(id) && (only === undefined || blob.type === only)) ids.add(blob.id)
  return idByPrefix([...ids], id, only ?? 'blob')
}

function isWhole(id: string): boolean {
  return /^[0-9a-f]{64}$/.test(id)
}

function line(json: string | Uint8Array): Uint8Array {
  const text = Buffer.from(json as Uint8Array).toString('utf8')
  return Buffer.from(text.endsWith('\n') ? text : `${text}\n`)
}
