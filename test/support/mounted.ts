import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mountAt } from '../../src/faults/disk/mounts.ts'
import { runProcess } from '../../src/kernel/index.ts'

/** Throws what it says on stderr. */
export async function run(program: string, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess(program, args)
  if (exitCode !== 0) throw new Error(stderr)
}

/** A file system of its own below a folder, as root; `again` is an unmount and a mount as before. `features` are those of mkfs.ext4. */
export async function mounted(folder: string, type: 'ext4' | 'tmpfs', options: string, features: readonly string[] = []) {
  const path = join(folder, 'disk')
  const image = join(folder, 'image')
  await mkdir(path)
  if (type === 'ext4') {
    await writeFile(image, '')
    await truncate(image, 16 * 1024 * 1024)
    await run('mkfs.ext4', '-q', ...features.flatMap((feature) => ['-O', feature]), image)
  }
  const mount = () =>
    type === 'ext4'
      ? run('mount', '-o', `loop,${options}`, image, path)
      : run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', path)
  await mount()
  return {
    path,
    seen: () => {
      const { options, superOptions } = mountAt(path) ?? {}
      return { options, superOptions }
    },
    async again() {
      await run('umount', path)
      await mount()
    },
    write: () => writeFile(join(path, 'file'), 'text'),
    [Symbol.asyncDispose]: async () => {
      while (mountAt(path) !== undefined) await run('umount', '-l', path)
    },
  }
}
