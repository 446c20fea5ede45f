import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { temporaryFolder } from '../support/holdfast.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
/** Makes bin/holdfast.js take its Node for an old one, so that it looks for the pinned Node and runs the program there. */
const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})'

type Child = ChildProcessByStdio<null, Readable, Readable>

function start(
  command: string,
  args: readonly string[],
  { env = {}, ...options }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Child {
  const child = spawn(command, args, {
    ...options,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  return child
}

function withOlderNode(...args: string[]): Child {
  return start(process.execPath, ['--import', older, program, ...args])
}

/** npx links the checkout into its cache, which is none of the developer's here. */
function withNpx(cache: string, ...args: string[]): Child {
  const env = { npm_config_cache: cache, npm_config_update_notifier: 'false' }
  return start('npx', ['holdfast', ...args], { cwd: root, env })
}

/** Its exit code and signal, once nothing that it started holds its output any more. */
async function closed(child: Child): Promise<unknown[]> {
  return once(child, 'close')
}

/** A repository, and the command line of a receiver that tries again until it is stopped: port 9 answers nobody. */
async function receiver() {
  const folder = await temporaryFolder('starting')
  const repo = join(folder.path, 'repository')
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, 'secret')
  await createRepository(await openLocalBackend(repo), 'secret', { kdf: { N: 1024, r: 8, p: 1 } })
  const server = ['--url', 'postgresql://127.0.0.1:9/postgres', '--slot', 'nobody']
  return {
    path: folder.path,
    args: ['--repo', repo, '--password-file', passwordFile, 'postgres', 'receive-wal', ...server],
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Stops a receiver once it tries; what it said, and how it ended. */
async function stopWhenTrying(child: Child, signal: NodeJS.Signals): Promise<{ output: string; ended: unknown[] }> {
  let output = ''
  const ended = closed(child)
  const trying = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: string) => {
      output += text
      if (output.includes('trying again')) trying.resolve()
    })
  await Promise.race([trying.promise, ended])
  child.kill(signal)
  return { ended: await ended, output }
}

test('an older Node gives the exit code of the program', async () => {
  const child = withOlderNode('--no-such-option')
  child.stdout.resume()
  child.stderr.resume()
  expect(await closed(child)).toEqual([2, null])
})

test.for(['SIGINT', 'SIGTERM'] as const)(
  '%s to the older Node stops the program in order, and leaves nothing running',
  async (signal) => {
    await using receiving = await receiver()
    const { output, ended } = await stopWhenTrying(withOlderNode(...receiving.args), signal)
    expect(ended, output).toEqual([0, null])
    expect(output).toContain('stopped; stored up to')
  },
)

test('SIGTERM to npx, which does not pass it on, stops the program in order all the same', async () => {
  await using receiving = await receiver()
  // Its output closes only once the program, too, has let go of it.
  const { output } = await stopWhenTrying(withNpx(join(receiving.path, 'cache'), ...receiving.args), 'SIGTERM')
  expect(output).toContain('stopped; stored up to')
})

test('a checkout whose sources are no longer those of its bundle runs the sources', async () => {
  await using folder = await temporaryFolder('checkout')
  for (const part of ['bin', 'dist', 'scripts', 'src', 'package.json', 'package-lock.json'])
    await cp(join(root, part), join(folder.path, part), { recursive: true, preserveTimestamps: true })
  await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'))
  const bundle = () => promisify(execFile)(process.execPath, [join(folder.path, 'scripts/bundle.ts')])
  const help = async () => (await promisify(execFile)(process.execPath, [join(folder.path, 'bin/holdfast.js'), '--help'])).stdout
  const change = async (file: string, from: string, to: string) => {
    const text = await readFile(join(folder.path, file), 'utf8')
    expect(text).toContain(from)
    await writeFile(join(folder.path, file), text.replace(from, to))
  }
  await bundle()
  await change('dist/main.js', 'Disaster recovery you can prove.', 'From the bundle.')
  expect(await help()).toContain('From the bundle.')
  await change('src/cli/program.ts', 'Disaster recovery you can prove.', 'From the sources.')
  expect(await help()).toContain('From the sources.')
  await bundle()
  await change('dist/main.js', 'From the sources.', 'From the new bundle.')
  expect(await help()).toContain('From the new bundle.')
}, 180_000)
