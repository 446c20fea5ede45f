import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { temporaryFolder } from '../support/holdfast.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
/** Makes bin/holdfast.js take its Node for an old one, so that it looks for the pinned Node and runs the program there. */
const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})'

function withOlderNode(...args: string[]) {
  const child = spawn(process.execPath, ['--import', older, program, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  return child
}

/** Its exit code and signal, once nothing that it started holds its output any more. */
async function closed(child: ReturnType<typeof withOlderNode>): Promise<unknown[]> {
  return once(child, 'close')
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
    await using folder = await temporaryFolder('older-node')
    const repo = join(folder.path, 'repository')
    const passwordFile = join(folder.path, 'password')
    writeFileSync(passwordFile, 'secret')
    await createRepository(await openLocalBackend(repo), 'secret', { kdf: { N: 1024, r: 8, p: 1 } })
    // Port 9 answers nobody: the receiver tries again until it is stopped.
    const server = ['--url', 'postgresql://127.0.0.1:9/postgres', '--slot', 'nobody']
    const child = withOlderNode('--repo', repo, '--password-file', passwordFile, 'postgres', 'receive-wal', ...server)
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
    expect(await ended, output).toEqual([0, null])
    expect(output).toContain('stopped; stored up to')
  },
)
