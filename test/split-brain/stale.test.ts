import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { runProcess } from '../../src/kernel/index.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'
import { layNetwork } from './network.ts'
import { sweepNamespaces } from './stale.ts'

const modules = {
  network: new URL('network.ts', import.meta.url),
  folder: new URL('../support/account-folder.ts', import.meta.url),
}

/** Lays a network, leaves a process in it and a folder, and says which; it waits then to be killed. */
const leaver = `
import { spawn } from 'node:child_process'
const { layNetwork } = await import('${modules.network.href}')
const { accountFolder } = await import('${modules.folder.href}')
const network = await layNetwork([['one', 'other']])
const folder = await accountFolder(\`holdfast-world-\${process.pid}-\`)
const [command, ...args] = network.inside('one', ['sleep', '600'])
const { pid } = spawn(command, args, { stdio: 'ignore', detached: true })
console.log(JSON.stringify({ namespace: network.namespace('one'), folder, pid }))
setInterval(() => {}, 1000)
`

describeWith('iproute2', 'what a process that was killed has left', () => {
  test('is swept with every process in it, and what a living one has stays', async () => {
    await using own = await layNetwork([['here', 'there']])
    const child = spawn(process.execPath, ['--input-type=module', '-e', leaver], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await until(
      'until it has left something',
      async () => said,
      (text) => text.endsWith('\n'),
    )
    const left = JSON.parse(said) as { readonly namespace: string; readonly folder: string; readonly pid: number }
    await sweepNamespaces()
    expect(await namespaces()).toEqual(expect.arrayContaining([left.namespace, own.namespace('here')]))

    child.kill('SIGKILL')
    await once(child, 'exit')
    await sweepNamespaces()

    expect(await namespaces()).not.toContain(left.namespace)
    expect(await namespaces()).toContain(own.namespace('here'))
    await expect(stat(left.folder)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await isSleeping(left.pid)).toBe(false)
  })
})

async function namespaces(): Promise<string[]> {
  const { stdout } = await runProcess('ip', ['netns', 'list'])
  return stdout.split('\n').map((line) => line.split(' ')[0] ?? '')
}

/** One that has ended may wait for whoever takes it in. */
async function isSleeping(pid: number): Promise<boolean> {
  const { stdout } = await runProcess('ps', ['-o', 'stat=', '-p', String(pid)])
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}
