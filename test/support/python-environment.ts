import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { sha256Hex } from '../../src/kernel/index.ts'

/** A Python environment with packages from PyPI, kept for the next time. */
export interface PythonEnvironment {
  /** Its folder; undefined where it is not installed. */
  find(): string | undefined
  /** Makes it, or leaves nothing; a process that does so at the same time does not disturb. */
  install(): void
}

/** @param name begins the name of its folder, which changes with what is required */
export function pythonEnvironment(name: string, requirements: readonly string[]): PythonEnvironment {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'holdfast-tests')
  const folder = join(cache, `${name}-${sha256Hex(requirements.join('\n')).slice(0, 12)}`)
  // Follows the link: the Python that it was made with may be gone.
  const find = () => (existsSync(join(folder, 'bin/python')) ? folder : undefined)
  return {
    find,
    install() {
      console.log(`installing ${requirements.join(' and ')} for the tests`)
      const draft = `${folder}.${process.pid}`
      mkdirSync(dirname(folder), { recursive: true })
      const run = (program: string, ...args: string[]) =>
        spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...requirements]
      if (run('python3', '-m', 'venv', draft) && run(join(draft, 'bin/python'), ...pip)) {
        if (find() === undefined) rmSync(folder, { recursive: true, force: true })
        if (!existsSync(folder)) renameSync(draft, folder)
      }
      rmSync(draft, { recursive: true, force: true })
    },
  }
}
