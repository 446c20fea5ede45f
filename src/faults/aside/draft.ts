import { chmod, chown, open, stat } from 'node:fs/promises'

/** A new file with the mode and the owner of the file that it is to stand for, so that those who may read that one read this. Its content is durable when this returns. */
export async function writeLike(file: string, path: string, content: Uint8Array | string): Promise<void> {
  const { mode, uid, gid } = await stat(file)
  await using handle = await open(path, 'wx', 0o600)
  await handle.writeFile(content)
  await chown(path, uid, gid)
  await chmod(path, mode & 0o7777)
  await handle.sync()
}
