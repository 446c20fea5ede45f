import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname

export interface HoldfastResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** The result printed with --json: the last line of stdout. */
  json<T>(): T
}

/** Runs the real program as a user would. `onStart` gets its process, for tests that signal it. */
export async function holdfast(
  args: readonly string[],
  options: {
    env?: NodeJS.ProcessEnv
    cwd?: string
    onStart?: (child: { pid: number; kill: (signal: NodeJS.Signals) => void }) => void
  } = {},
): Promise<HoldfastResult> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  options.onStart?.({ pid: child.pid ?? -1, kill: (signal) => child.kill(signal) })
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })
  return {
    exitCode,
    ...output,
    json<T>() {
      return JSON.parse(output.stdout.trimEnd().split('\n').at(-1) ?? '') as T
    },
  }
}

/** A new repository `repository` in the folder, with its password in the file `password` there. */
export async function repositoryIn(folder: string): Promise<void> {
  await writeFile(join(folder, 'password'), 'correct horse\n')
  const at = ['--repo', join(folder, 'repository'), '--password-file', join(folder, 'password')]
  const { exitCode, stderr } = await holdfast([...at, 'init'])
  if (exitCode !== 0) throw new Error(stderr)
}

/** A folder for one test, removed with what is in it. */
export async function temporaryFolder(name = 'test'): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), `holdfast-${name}-`))
  // As root, servers run as an unprivileged user, who must get through.
  await chmod(path, 0o755)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
