import { expect, test } from 'vitest'
import { goMode, listTree } from '../../src/backup/index.ts'
import { encodeTree, formatTime, TreeEncoder, TreeText, type TreeNode } from '../../src/repository/index.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'

const mtime = 1_700_000_000_123_456_789n
const entries = 60_000

/** As a backup has them; the text of all is some 16 MB. */
function* nodes(): Generator<TreeNode> {
  const times = { mtime, atime: mtime, ctime: mtime }
  const owner = { uid: 0, gid: 0, user: 'root', group: 'root' }
  for (let at = 0; at < entries; at++) {
    const name = Buffer.from(`file-${String(at).padStart(6, '0')}`)
    const where = { inode: BigInt(at + 1), deviceId: 2049n, links: 1n }
    yield { name, type: 'file', mode: goMode(0o644), ...times, ...owner, ...where, content: [] }
  }
}

describeWith('restic', 'a folder whose tree is stored in several frames', (restic) => {
  test('restic checks and lists it, and we read it without all of its text in memory', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    await using writer = await repository.createWriter({ workers: 1 })
    const text = new TreeText()
    const encoder = new TreeEncoder((piece) => text.add(piece))
    for (const node of nodes()) encoder.add(node)
    encoder.finish()
    const { id: tree, added, addedBytes } = await writer.saveTree(text.finish())
    expect(added).toBe(true)
    const whole = encodeTree([...nodes()])
    expect(await writer.saveTree(whole)).toMatchObject({ id: tree, added: false })
    expect(addedBytes).toBe(whole.length)
    await writer.flush()
    const snapshot = await repository.saveSnapshot({ time: formatTime(mtime), paths: ['/'], hostname: 'here', tree })

    await shared.check()
    const { stdout: listed } = await shared.restic(['ls', 'latest'])
    expect(listed.split('\n').filter((line) => line.startsWith('/file-'))).toHaveLength(entries)

    const opened = await repository.openTree(tree)
    expect(opened.bytes).toBeLessThan(whole.length / 4)
    expect(encodeTree([...opened]).equals(whole)).toBe(true)
    expect(Buffer.from(await repository.readBlob('tree', tree)).equals(whole)).toBe(true)
    let count = 0
    for await (const { path } of listTree({ repository, snapshot })) if (path.toString().startsWith('/file-')) count++
    expect(count).toBe(entries)
  })
})
