import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** What a command took, the processes that it waited for included. */
export interface Took {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakMiB: number
}

/** Runs a command under GNU time. Throws with what it printed when it fails. `folder` is for a file of GNU time's. */
export function timed({ argv, env, cwd }: Command, folder: string): Took {
  const report = join(folder, 'time')
  const ended = spawnSync('time', ['--quiet', '--format=%e %U %S %M', `--output=${report}`, ...argv], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...(cwd !== undefined && { cwd }),
  })
  if (ended.error !== undefined) throw new Error(`GNU time is needed (Debian package time): ${ended.error.message}`)
  if (ended.status !== 0) throw new Error(`${argv.join(' ')} ended with ${ended.status}:\n${ended.stdout}${ended.stderr}`)
  const [wall = 0, user = 0, system = 0, peak = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
  return { wallSeconds: wall, cpuSeconds: user + system, peakMiB: peak / 1024 }
}
