import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { restoreSnapshot } from '../../src/backup/index.ts'
import { openRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { memoryRepository, snapshotOf } from '../support/snapshot-of.ts'
import { testProgram } from '../support/program.ts'

const { signal } = new AbortController()
const MiB = 1024 * 1024
const kills = Number(process.env.RESTORE_KILLS ?? 8)
const program = testProgram('crash/restore-process')

/** Kills a restore so long after it began. Gives how long it ran from there on. */
async function restoreAndKill(repository: string, target: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [program, repository, 'secret', target], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise((resolve) => child.once('close', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const startMs = performance.now()
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  await closed
  clearTimeout(timer)
  return performance.now() - startMs
}

test(
  `a restore in place that is killed, ${kills} times, leaves no file that is half of each`,
  { timeout: 300_000 + kills * 60_000 },
  async () => {
    await using folder = await temporaryFolder('restore-kill')
    const path = join(folder.path, 'repository')
    const content = randomBytes(24 * MiB)
    const backend = await openLocalBackend(path)
    await backend.prepare?.()
    await snapshotOf(await memoryRepository(backend), [['file', content]])
    const before = Buffer.from(content)
    for (let at = 0; at < 24; at += 3) randomBytes(1000).copy(before, at * MiB)
    const target = join(folder.path, 'target')
    await restoreAndKill(path, target, 2 ** 30)
    const file = join(target, 'file')
    writeFileSync(file, before)
    const undisturbedMs = await restoreAndKill(path, target, 2 ** 30)
    const states = { old: 0, gone: 0, new: 0 }
    for (let round = 0; round < kills; round++) {
      for (const name of readdirSync(target)) rmSync(join(target, name))
      writeFileSync(file, before)
      await restoreAndKill(path, target, (undisturbedMs * (round + 0.5)) / kills)
      const there = existsSync(file) ? readFileSync(file) : undefined
      const state = there === undefined ? 'gone' : there.equals(before) ? 'old' : there.equals(content) ? 'new' : 'half'
      expect(state, `round ${round}`).not.toBe('half')
      states[state as keyof typeof states]++
      await using repository = await openRepository(backend, 'secret')
      const snapshot = await repository.findSnapshot('latest')
      await restoreSnapshot({ repository, snapshot, target, overwrite: true, deleteExtra: true, noLock: true }, () => {}, signal)
      expect(readFileSync(file).equals(content)).toBe(true)
      expect(readdirSync(target)).toEqual(['file'])
    }
    console.log(`killed ${kills} times: ${JSON.stringify(states)}; undisturbed ${undisturbedMs} ms`)
    // Some met it before its end, or this shows nothing.
    expect(states.old + states.gone).toBeGreaterThan(0)
  },
)
