import { constants } from 'node:fs'
import { open, stat, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Random } from '../../kernel/index.ts'
import { goneMeanwhile, type StoredFile } from './objects.ts'

/** What is wrong with a file of the copy, to the byte. */
export const spoiled = z.strictObject({
  path: z.string(),
  how: z.union([
    z.strictObject({
      /** One bit each. */
      bytes: z.array(z.strictObject({ at: z.int().min(0), was: z.int().min(0).max(255), is: z.int().min(0).max(255) })),
    }),
    z.strictObject({ sizeBytes: z.int().min(0) }),
    z.literal('removed'),
  ]),
})

export type Spoiled = z.infer<typeof spoiled>

export type Damage = { readonly flipBits: number } | { readonly truncate: number } | 'remove'

/** Decides what will be wrong with a file; reads it, and changes nothing. Nothing for an empty one. */
export async function planDamage(
  root: string,
  { path, sizeBytes }: StoredFile,
  damage: Damage,
  random: Random,
): Promise<Spoiled[]> {
  if (damage === 'remove') return [{ path, how: 'removed' }]
  if (sizeBytes === 0) return []
  if ('truncate' in damage) return [{ path, how: { sizeBytes: Math.max(0, sizeBytes - damage.truncate) } }]
  await using file = await open(join(root, path), 'r')
  const places = new Set<number>()
  while (places.size < Math.min(damage.flipBits, sizeBytes)) places.add(Math.floor(random() * sizeBytes))
  const bytes: { at: number; was: number; is: number }[] = []
  for (const at of [...places].sort((a, b) => a - b)) {
    const was = await readByte(file, at)
    if (was !== undefined) bytes.push({ at, was, is: was ^ (1 << Math.floor(random() * 8)) })
  }
  return [{ path, how: { bytes } }]
}

export async function spoil(root: string, { path, how }: Spoiled): Promise<void> {
  if (how === 'removed') return await unlink(join(root, path))
  // Never through a link: it could lead to the original.
  await using file = await open(join(root, path), constants.O_RDWR | constants.O_NOFOLLOW)
  if ('sizeBytes' in how) await file.truncate(how.sizeBytes)
  else for (const { at, is } of how.bytes) await file.write(Uint8Array.of(is), 0, 1, at)
}

/** Whether it is as wrong as it was meant to be. */
export async function isSpoiled(root: string, { path, how }: Spoiled): Promise<boolean> {
  const info = await stat(join(root, path)).catch(goneMeanwhile)
  if (info === undefined || how === 'removed') return info === undefined && how === 'removed'
  if ('sizeBytes' in how) return info.size === how.sizeBytes
  await using file = await open(join(root, path), 'r')
  for (const { at, is } of how.bytes) if ((await readByte(file, at)) !== is) return false
  return true
}

export function inWords({ path, how }: Spoiled): string {
  if (how === 'removed') return `${path} removed`
  return 'sizeBytes' in how ? `${path} cut to ${how.sizeBytes} bytes` : `${path} with ${how.bytes.length} bits flipped`
}

async function readByte(file: FileHandle, at: number): Promise<number | undefined> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
  return bytesRead === 1 ? buffer[0] : undefined
}
