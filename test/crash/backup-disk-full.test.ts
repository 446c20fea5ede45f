import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'
import { smallDisk } from '../support/small-disk.ts'

const MiB = 1024 * 1024

describeWith('restic', 'a disk that fills up during a backup', (restic) => {
  test('ends it with a clear error and exit code 1; the repository stays valid, and with room the next backup succeeds', async ({
    skip,
  }) => {
    using disk = smallDisk(30)
    skip(disk === undefined, 'only root may mount a small file system')
    if (disk === undefined) return
    using shared = sharedRepository(restic, disk.path)
    using data = sharedRepository(restic)
    const source = join(data.folder, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'small'), 'fits')
    await shared.create()
    const env = { HOLDFAST_STATE_DIR: join(data.folder, 'state') }
    const run = (...args: string[]) => holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, ...args], { env })
    expect(await run('backup', source)).toMatchObject({ exitCode: 0 })

    for (let file = 0; file < 12; file++) writeFileSync(join(source, `large ${file}`), randomBytes(4 * MiB))
    const full = await run('backup', source, '--json')
    expect(full.exitCode).toBe(1)
    expect(full.stdout).toBe('')
    expect(JSON.parse(full.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'error',
      code: 'disk-full',
      message: expect.stringContaining('no space left') as string,
      hint: expect.stringContaining('free space') as string,
    })
    await shared.check()
    expect((await shared.restic(['snapshots', '--json'])).stdout.match(/"short_id"/g)).toHaveLength(1)

    disk.grow(100)
    expect(await run('backup', source)).toMatchObject({ exitCode: 0 })
    await shared.check()
  })
})
