import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from './timed.ts'

/** A backup program. `undefined` for what it cannot do. */
export interface Program {
  readonly name: string
  readonly version: string
  init(repository: string): Command
  backup(repository: string, source: string): Command
  restore(repository: string, target: string): Command
  check(repository: string): Command
  readonly prune?: (repository: string) => Command
  readonly forgetAllButLast?: (repository: string) => Command
}

const password = 'bench'

/** Holdfast, and those of its peers that are installed. RESTIC names another restic than the one in PATH. */
export function installedPrograms(folder: string): Program[] {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  const found = [holdfast(passwordFile), restic(passwordFile), borg()]
  return found.filter((program) => program !== undefined)
}

function holdfast(passwordFile: string): Program {
  const main = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
  const run = (repository: string, ...rest: string[]): Command => ({
    argv: [process.execPath, main, '--repo', repository, '--password-file', passwordFile, ...rest],
  })
  return {
    name: 'holdfast',
    version: spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' }).stdout.trim(),
    init: (repository) => run(repository, 'init'),
    backup: (repository, source) => run(repository, 'backup', source),
    restore: (repository, target) => run(repository, 'restore', 'latest', '--target', target),
    check: (repository) => run(repository, 'check', '--read-data'),
    forgetAllButLast: (repository) => run(repository, 'forget', '--keep-last', '1', '--group-by', ''),
    prune: (repository) => run(repository, 'prune', '--max-unused', '0'),
  }
}

function restic(passwordFile: string): Program | undefined {
  const path = process.env.RESTIC ?? 'restic'
  const version = spawnSync(path, ['version'], { encoding: 'utf8' }).stdout as string | undefined
  if (version === undefined) return undefined
  const run = (repository: string, ...rest: string[]): Command => ({
    // Its cache, as it is used by default, and thrown away with the repository.
    argv: [path, '--cache-dir', `${repository}.cache`, '--repo', repository, '--password-file', passwordFile, ...rest],
  })
  return {
    name: 'restic',
    version: version.split(' ')[1] ?? 'unknown',
    init: (repository) => run(repository, 'init'),
    backup: (repository, source) => run(repository, 'backup', source),
    restore: (repository, target) => run(repository, 'restore', 'latest', '--target', target),
    check: (repository) => run(repository, 'check', '--read-data'),
    prune: (repository) => run(repository, 'prune', '--max-unused', '0'),
    forgetAllButLast: (repository) => run(repository, 'forget', '--keep-last', '1', '--group-by', ''),
  }
}

function borg(): Program | undefined {
  const version = spawnSync('borg', ['--version'], { encoding: 'utf8' }).stdout as string | undefined
  if (version === undefined) return undefined
  const env = { BORG_PASSPHRASE: password, BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' }
  let archive = 0
  return {
    name: 'borg',
    version: version.trim().split(' ')[1] ?? 'unknown',
    init: (repository) => ({ argv: ['borg', 'init', '--encryption', 'repokey-blake2', repository], env }),
    backup: (repository, source) => ({
      argv: ['borg', 'create', '--compression', 'zstd,3', `${repository}::a${++archive}`, source],
      env,
    }),
    restore: (repository, target) => ({ argv: ['borg', 'extract', `${repository}::a${archive}`], env, cwd: target }),
    check: (repository) => ({ argv: ['borg', 'check', '--verify-data', repository], env }),
  }
}
