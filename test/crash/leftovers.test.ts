import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { backup, checkRepository, prune, removeLeftoversWhenFree } from '../../src/backup/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'
import { testProgram } from '../support/program.ts'

const { signal } = new AbortController()
const ignore = () => {}
const program = testProgram('support/put-process')

function temporaries(repository: string): string[] {
  return readdirSync(repository, { recursive: true })
    .map(String)
    .filter((name) => name.includes('-tmp-'))
}

/** Kills a writer until it leaves something. */
async function killedWriter(repository: string): Promise<string> {
  for (;;) {
    const child = spawn(process.execPath, [program, repository], { stdio: 'inherit' })
    const closed = new Promise((resolve) => child.once('close', resolve))
    while (temporaries(repository).length === 0 && child.exitCode === null) await delay(1)
    child.kill('SIGKILL')
    await closed
    const [left] = temporaries(repository)
    if (left !== undefined) return left
  }
}

function age(path: string, minutes: number): void {
  const seconds = Date.now() / 1000 - minutes * 60
  utimesSync(path, seconds, seconds)
}

async function noted(repository: Repository) {
  const { ok, findings } = await checkRepository({ repository }, ignore, signal)
  expect(ok).toBe(true)
  return findings.filter((finding) => finding.code === 'leftover')
}

describeWith('restic', 'what killed writers leave', (restic) => {
  test('is noted when it is old, and removed only when nobody holds a lock', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    writeFileSync(join(shared.folder, 'file'), 'text')
    await backup({ repository, source: createFilesSource({ paths: [join(shared.folder, 'file')] }) }, ignore, signal)
    const left = await killedWriter(shared.path)
    const at = join(shared.path, left)
    // As restic calls them; one that may be of a writer at work.
    const [others, young] = [`index/${'ab'.repeat(32)}-tmp-123456789`, `snapshots/${'cd'.repeat(32)}-tmp-0a1b2c3d4e5f`]
    writeFileSync(join(shared.path, others), 'half of an index')
    writeFileSync(join(shared.path, young), 'half')
    expect(await noted(repository)).toEqual([])
    expect(await prune({ repository }, ignore, signal)).toMatchObject({ leftovers: { count: 0 } })
    expect(existsSync(at)).toBe(true)

    age(at, 31)
    age(join(shared.path, others), 31)
    age(join(shared.path, young), 29)
    const { size } = statSync(at)
    const notes = await noted(repository)
    expect(notes.map((note) => ('file' in note ? note.file : '')).toSorted()).toEqual([left, others].toSorted())
    expect(await prune({ repository, dryRun: true }, ignore, signal)).toMatchObject({ leftovers: { count: 2, bytes: size + 16 } })
    {
      await using _busy = await repository.lock('shared')
      await expect(prune({ repository }, ignore, signal)).rejects.toMatchObject({ code: 'locked' })
      expect(await removeLeftoversWhenFree(repository, signal)).toEqual({ count: 0, bytes: 0 })
    }
    expect(temporaries(shared.path)).toHaveLength(3)
    expect(await prune({ repository }, ignore, signal)).toMatchObject({ leftovers: { count: 2 } })
    expect(temporaries(shared.path)).toEqual([young])
    await shared.check()
  })

  test('goes with the locks that unlock removes, and stays beside one that is in use', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const at = join(shared.path, 'data', `${'ef'.repeat(32)}-tmp-1`)
    writeFileSync(at, 'half')
    age(at, 60)
    const unlock = async () => {
      const args = ['--json', '--repo', shared.path, '--password-file', shared.passwordFile, 'unlock']
      return (await holdfast(args)).json<{ left: unknown[]; leftovers: { count: number; bytes: number } }>()
    }
    {
      await using _busy = await repository.lock('shared')
      expect(await unlock()).toMatchObject({ left: [{}], leftovers: { count: 0 } })
    }
    expect(await unlock()).toMatchObject({ left: [], leftovers: { count: 1, bytes: 4 } })
    expect(existsSync(at)).toBe(false)
  })
})
