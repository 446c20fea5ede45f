import { spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup, checkRepository, restoreSnapshot } from '../../src/backup/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword } from '../support/restic.ts'
import { describeTree } from '../support/sample-tree.ts'
import { testProgram } from '../support/program.ts'

const kills = 50
const { signal } = new AbortController()
const program = testProgram('crash/backup-process')

/** Starts a backup; `afterMs` after it began to read, kills it. Gives how long it ran from there on. */
async function backupInProcess(repository: string, source: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [program, repository, testPassword, source], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<NodeJS.Signals | number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const startMs = performance.now()
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  const end = await ended
  clearTimeout(timer)
  if (end !== 'SIGKILL' && end !== 0) throw new Error(`the backup ended with ${end}`)
  return performance.now() - startMs
}

/** New content in many files, so that every backup has several packs to write. */
function changeFiles(source: string): void {
  for (let file = 0; file < 60; file++) writeFileSync(join(source, `file ${file}`), randomBytes(1000 + file * 1000))
}

/** Whole objects in the repository's folders. */
function counts(repository: string): Record<'data' | 'index' | 'snapshots', number> {
  const count = (kind: string) =>
    readdirSync(join(repository, kind), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.includes('-tmp-'),
    ).length
  return { data: count('data'), index: count('index'), snapshots: count('snapshots') }
}

describeWith('restic', 'a backup that is killed', (restic) => {
  test(
    `leaves a repository without a fault, ${kills} times at random moments, and the next backup succeeds`,
    { timeout: 600_000 },
    async () => {
      using shared = sharedRepository(restic)
      const source = join(shared.folder, 'source')
      mkdirSync(source)
      changeFiles(source)
      await using repository = await shared.create()
      // How long one takes that is left alone: the kills are spread over that time. The first is slower than those after it,
      // and the machine may be busy at one time and not at another: each that ends before its kill says it anew.
      let undisturbedMs = await backupInProcess(shared.path, source, 2 ** 30)

      const moments = { 'before any pack': 0, 'packs without an index': 0, 'an index without a snapshot': 0, finished: 0 }
      for (let round = 0; round < kills; round++) {
        changeFiles(source)
        const before = counts(shared.path)
        const ranMs = await backupInProcess(shared.path, source, randomInt(Math.ceil(undisturbedMs)))
        const after = counts(shared.path)
        if (after.snapshots > before.snapshots) {
          moments.finished++
          undisturbedMs = ranMs
        } else if (after.index > before.index) moments['an index without a snapshot']++
        else if (after.data > before.data) moments['packs without an index']++
        else moments['before any pack']++

        const [report] = await Promise.all([
          checkRepository({ repository }, () => {}, signal),
          // The killed process left its lock behind: restic's check would wait for it.
          shared.restic(['check', '--no-lock']),
        ])
        expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([])
      }
      console.log(`killed ${kills} times: ${JSON.stringify(moments)}`)
      // The kills met backups at work, or this test shows nothing.
      expect(moments.finished).toBeLessThan(kills / 2)
      expect(moments['packs without an index']).toBeGreaterThan(0)

      const files = createFilesSource({ paths: [source] })
      const next = await backup({ repository, source: files }, () => {}, signal)
      expect(next.skipped).toEqual([])
      await repository.unlock()
      await shared.check()
      const target = join(shared.folder, 'back')
      await restoreSnapshot(
        { repository, snapshot: await repository.findSnapshot('latest'), target, subtree: source },
        () => {},
        signal,
      )
      expect(describeTree(target)).toEqual(describeTree(source))
    },
  )
})
