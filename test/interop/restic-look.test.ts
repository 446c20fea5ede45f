import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, type SharedRepository } from '../support/restic.ts'
import { oddNames, sampleTree } from '../support/sample-tree.ts'

/** Two snapshots of restic's of the same folder, of which much differs. */
async function twoSnapshots(restic: string) {
  const shared = sharedRepository(restic)
  await (await shared.create())[Symbol.asyncDispose]()
  const source = join(shared.folder, 'source')
  mkdirSync(source)
  await sampleTree(source)
  await shared.restic(['backup', 'source'], { cwd: shared.folder })
  rmSync(join(source, 'zeros'))
  rmSync(join(source, 'empty'), { recursive: true })
  rmSync(join(source, 'link'))
  writeFileSync(join(source, 'link'), 'a link became a file')
  appendFileSync(join(source, 'random'), randomBytes(1000))
  chmodSync(join(source, 'executable'), 0o700)
  mkdirSync(join(source, 'new/er'), { recursive: true })
  for (const name of oddNames) writeFileSync(Buffer.concat([Buffer.from(`${source}/new/`), name]), 'other content')
  symlinkSync('nowhere', join(source, 'new', 'er', 'symlink'))
  await shared.restic(['backup', 'source'], { cwd: shared.folder })
  const [first, second] = JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as { id: string }[]
  return { shared, first: first?.id ?? '', second: second?.id ?? '', run: program(shared) }
}

function program(shared: SharedRepository) {
  return (...args: string[]) => holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, ...args])
}

/** Go writes one mark for each byte that is not UTF-8, JavaScript one for several. */
const replaced = ({ path }: { path: string }) => path.replaceAll(/\ufffd+/g, '\ufffd')

/** Lines of a listing with names as restic prints them: raw. Names with line ends are left out, which it prints as they are. */
const plainLines = (text: string) =>
  text.split('\n').filter((line) => /^[+\-MTU?]+ +\/source\/[\w./ -]+$/.test(line) && !line.endsWith('/line'))

describeWith('restic', 'looking into snapshots beside restic', (restic) => {
  test('diff tells what restic tells, with metadata and without, and counts the same', async () => {
    const { shared, first, second, run } = await twoSnapshots(restic)
    using _shared = shared
    for (const metadata of [[], ['--metadata']]) {
      const theirs = (await shared.restic(['diff', ...metadata, first, second])).stdout
      const ours = await run('diff', ...metadata, first, second)
      expect(ours.exitCode).toBe(0)
      const lines = plainLines(ours.stdout)
      expect(lines.length).toBeGreaterThan(10)
      expect(lines).toEqual(plainLines(theirs))
      const { changes, changedFiles, added, removed } = (await run('diff', '--json', ...metadata, first, second)).json<{
        changes: unknown[]
        changedFiles: number
        added: Record<string, number>
        removed: Record<string, number>
      }>()
      const counts = (title: string) => new RegExp(`${title}: +(\\d+) new, +(\\d+) removed`).exec(theirs)?.slice(1).map(Number)
      expect([added.files, removed.files]).toEqual(counts('Files'))
      expect([added.folders, removed.folders]).toEqual(counts('Dirs'))
      expect([added.others, removed.others]).toEqual(counts('Others'))
      expect([added.dataBlobs, removed.dataBlobs]).toEqual(counts('Data Blobs'))
      expect([added.treeBlobs, removed.treeBlobs]).toEqual(counts('Tree Blobs'))
      expect(theirs).toContain(`${changedFiles} changed`)
      expect(changes.length).toBeGreaterThan(oddNames.length)
    }
  })

  test('find finds what restic finds, in every snapshot, by name, time and id', async () => {
    const { shared, second, run } = await twoSnapshots(restic)
    using _shared = shared
    const theirs = async (...args: string[]) =>
      JSON.parse((await shared.restic(['find', '--json', ...args])).stdout) as {
        snapshot: string
        matches: { path: string }[]
      }[]
    const ours = async (...args: string[]) =>
      (await run('find', '--json', ...args)).json<{ snapshots: { snapshot: string; matches: { path: string }[] }[] }>().snapshots
    for (const args of [
      ['random'],
      ['-i', 'RANDOM', 'Text'],
      ['/source/deep/*'],
      ['*', '--newest', '2018-01-01'],
      ['--snapshot', second, 'e*'],
      ['zeros', '--oldest', '2023-11-14 22:13:20 +0000'],
    ]) {
      const expected = await theirs(...args)
      const found = await ours(...args)
      const flat = (list: typeof found) =>
        list.flatMap(({ snapshot, matches }) => matches.map(({ path }) => `${snapshot} ${replaced({ path })}`)).toSorted()
      expect(flat(found).length).toBeGreaterThan(0)
      expect(flat(found)).toEqual(flat(expected))
    }
    // restic 0.14 finds content of packs, and no trees.
    const packs = (await shared.restic(['list', 'packs'])).stdout.trim().split('\n')
    let compared = 0
    for (const pack of packs) {
      const theirs = (await shared.restic(['find', '--json', '--pack', pack])).stdout
      const objects = JSON.parse(theirs || '[]') as { id: string }[]
      const { uses } = (await run('find', '--json', '--pack', pack.slice(0, 10), '--show-pack-id')).json<{
        uses: { type: string; id: string; packs: string[] }[]
      }>()
      expect(uses.length).toBeGreaterThan(0)
      expect(uses.every(({ packs }) => packs.includes(pack))).toBe(true)
      const data = uses.filter(({ type }) => type === 'data')
      const ids = (list: { id: string }[]) => [...new Set(list.map(({ id }) => id))].toSorted()
      expect(ids(data)).toEqual(ids(objects))
      compared += data.length
    }
    expect(compared).toBeGreaterThan(0)
  })

  test('ls lists what restic lists: all, one folder, folders below it', async () => {
    const { shared, run } = await twoSnapshots(restic)
    using _shared = shared
    for (const args of [[], ['/source/deep'], ['/source/deep', '/source/new/er'], ['--recursive', '/source/deep']]) {
      const theirs = (await shared.restic(['ls', '--json', 'latest', ...args])).stdout.trim().split('\n').slice(1)
      const { nodes } = (await run('ls', '--json', 'latest', ...args)).json<{
        nodes: { path: string; mtime: string; inode: string }[]
      }>()
      const expected = theirs.map((line) => JSON.parse(line) as { path: string; mtime: string })
      expect(nodes.map(replaced)).toEqual(expected.map(replaced))
      expect(nodes.map(({ mtime }) => Date.parse(mtime))).toEqual(expected.map(({ mtime }) => Date.parse(mtime)))
    }
    const within = (await run('ls', '--json', 'latest:/source', 'deep')).json<{ nodes: { path: string }[] }>().nodes
    expect(within.map(({ path }) => path)).toContain('/source/deep/er')
    // One line for each entry, whatever is in its name.
    const { stdout } = await run('ls', 'latest', '--long', '--human-readable')
    const { nodes } = (await run('ls', '--json', 'latest')).json<{ nodes: unknown[] }>()
    expect(stdout.trimEnd().split('\n')).toHaveLength(nodes.length)
    expect(stdout).not.toContain('\u001B')
  })
})
