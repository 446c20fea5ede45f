import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError, messageOf, systemCode } from '../../kernel/index.ts'

/** Refuses a file that cannot be written, before there is any work for it. Throws `not-found`, `permission-denied`, or `usage` for the name of a folder. */
export async function refuseUnwritable(path: string): Promise<void> {
  if ((await kindOf(path)) === 'folder')
    throw new HoldfastError('usage', { message: `${path} is a folder`, hint: 'name a file in it' })
  const folder = dirname(path)
  const kind = await kindOf(folder)
  if (kind === 'folder') {
    await refuseForbidden(folder)
    return
  }
  throw new HoldfastError('not-found', {
    message: kind === undefined ? `there is no folder ${folder}` : `${folder} is no folder`,
    hint: 'make the folder first, or name a file in another one',
  })
}

async function refuseForbidden(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK)
  } catch (cause) {
    throw new HoldfastError('permission-denied', {
      message: `${folder} cannot be written to: ${messageOf(cause)}`,
      hint: 'name a file in another folder',
      cause,
    })
  }
}

async function kindOf(path: string): Promise<'folder' | 'other' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}
