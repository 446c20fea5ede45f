import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runProcess } from '../../src/kernel/index.ts'

export interface RealSystemd extends AsyncDisposable {
  /** A folder for PATH, whose `systemctl` is the real one within the container. */
  readonly programs: string
  systemctl(...args: string[]): Promise<string>
  /** Writes unit files and has systemd read them. */
  addUnits(units: Readonly<Record<string, string>>): Promise<void>
}

const bootMs = 60_000

/**
 * A real systemd as the first process of a container: this machine's own /usr, read-only, under an empty root in memory, without a network
 * but its own loopback. Only its basic target is reached: nothing of this machine's services starts.
 */
export async function startSystemd(nspawn: string): Promise<RealSystemd> {
  const options = ['--directory=/', '--volatile=yes', '--private-network', '--register=no', '--keep-unit', '--console=pipe']
  const machine = `--machine=holdfast-${process.pid}`
  const container = spawn(nspawn, [...options, machine, '--boot', '--', '--unit=basic.target'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [container.stdout, container.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
  const ended = once(container, 'exit')

  const programs = await mkdtemp(join(tmpdir(), 'holdfast-systemd-'))
  const stop = async () => {
    if (container.exitCode === null && container.signalCode === null) {
      // The first asks its systemd to end, the second does not wait for that.
      container.kill('SIGTERM')
      const hasEnded = await Promise.race([ended.then(() => true), delay(15_000, false, { ref: false })])
      if (!hasEnded) container.kill('SIGTERM')
      await ended
    }
    await rm(programs, { recursive: true, force: true })
  }

  const deadline = performance.now() + bootMs
  let leader: string | undefined
  const inside = async (...command: string[]) =>
    await runProcess('nsenter', ['--target', leader ?? '', '--mount', '--pid', '--uts', '--ipc', '--net', '--', ...command])
  try {
    for (;;) {
      if (container.exitCode !== null) throw new Error(`systemd-nspawn ended: ${output}`)
      if (performance.now() > deadline) throw new Error(`systemd did not start: ${output}`)
      const children = await readFile(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8').catch(() => '')
      leader = children.trim().split(' ')[0] || undefined
      // Degraded: some unit of the boot failed, which is nothing to these tests.
      if (leader !== undefined && /^(running|degraded)/.test((await inside('systemctl', 'is-system-running')).stdout)) break
      await delay(100)
    }
    const wrapper = join(programs, 'systemctl')
    const enter = `nsenter --target ${leader} --mount --pid --uts --ipc --net`
    await writeFile(wrapper, `#!/bin/sh\nexec ${enter} -- /usr/bin/systemctl "$@"\n`)
    await chmod(wrapper, 0o755)
  } catch (error) {
    await stop()
    throw error
  }
  const systemctl = async (...args: string[]) => (await inside('systemctl', ...args)).stdout
  return {
    programs,
    systemctl,
    async addUnits(units) {
      for (const [name, text] of Object.entries(units))
        await writeFile(join(`/proc/${leader}/root/run/systemd/system`, name), text)
      await systemctl('daemon-reload')
    },
    [Symbol.asyncDispose]: stop,
  }
}
