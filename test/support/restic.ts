import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess, type ProcessResult } from '../../src/kernel/index.ts'
import { createRepository, openRepository, type Repository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

export const testPassword = 'correct horse battery staple'
/** The cheapest that readers accept: tests open many repositories. */
const cheapKdf = { N: 32768, r: 8, p: 1 }

/** A temporary folder with a repository that both restic and Holdfast open. */
export interface SharedRepository extends Disposable {
  /** The temporary folder. */
  readonly folder: string
  readonly path: string
  readonly passwordFile: string
  create(): Promise<Repository>
  open(): Promise<Repository>
  /** Runs restic on it. Throws, with what it said, when it fails and `mayFail` is not set. */
  restic(
    args: readonly string[],
    options?: { readonly cwd?: string; readonly mayFail?: boolean; readonly env?: NodeJS.ProcessEnv },
  ): Promise<ProcessResult>
  /** `restic check --read-data`. */
  check(): Promise<ProcessResult>
}

/** `restic` is the program; `parent` where the folder is made, the system's temporary folder by default. */
export function sharedRepository(restic: string, parent: string = tmpdir()): SharedRepository {
  const folder = mkdtempSync(join(parent, 'holdfast-test-'))
  const path = join(folder, 'repository')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, testPassword)
  const run: SharedRepository['restic'] = async (args, { cwd, env, mayFail = false } = {}) => {
    const all = ['--repo', path, '--password-file', passwordFile, '--no-cache', ...args]
    const result = await runProcess(restic, all, { env: { ...process.env, ...env }, ...(cwd !== undefined && { cwd }) })
    if (result.exitCode !== 0 && !mayFail)
      throw new Error(`restic ${args.join(' ')} ended with ${result.exitCode}:\n${result.stderr}${result.stdout}`)
    return result
  }
  return {
    folder,
    path,
    passwordFile,
    create: async () => createRepository(await openLocalBackend(path), testPassword, { kdf: cheapKdf }),
    open: async () => openRepository(await openLocalBackend(path), testPassword),
    restic: run,
    check: () => run(['check', '--read-data']),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The second number of its version: 14 of 0.14.0. */
export async function resticVersion(restic: string): Promise<number> {
  const { stdout } = await runProcess(restic, ['version'], {})
  return Number(/^restic 0\.(\d+)/.exec(stdout)?.[1] ?? Number.NaN)
}
