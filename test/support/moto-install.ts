import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** An emulated AWS, and the `aws` command that people would use by hand, from PyPI. */
const requirements = ['moto[server]==5.2.5', 'awscli==1.46.3']
const folder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'holdfast-tests',
  requirements.join('+').replaceAll(/[^\w.+-]/g, ''),
)

/** The folder of a Python environment that has both. */
export function findMoto(): string | undefined {
  // Follows the link: the Python that it was made with may be gone.
  return existsSync(join(folder, 'bin/python')) ? folder : undefined
}

/** Makes that environment, or leaves nothing; a process that does so at the same time does not disturb. */
export function installMoto(): void {
  console.log(`installing ${requirements.join(' and ')} for the tests`)
  const draft = `${folder}.${process.pid}`
  mkdirSync(dirname(folder), { recursive: true })
  const run = (program: string, ...args: string[]) =>
    spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...requirements]
  if (run('python3', '-m', 'venv', draft) && run(join(draft, 'bin/python'), ...pip)) {
    if (findMoto() === undefined) rmSync(folder, { recursive: true, force: true })
    if (!existsSync(folder)) renameSync(draft, folder)
  }
  rmSync(draft, { recursive: true, force: true })
}
