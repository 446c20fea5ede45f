import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess } from '../../src/kernel/index.ts'
import { until } from './until.ts'

export interface RealRunit extends AsyncDisposable {
  readonly folder: string
  /** The folder of a service. */
  service(name: string): string
  /** As `sv status` says it. */
  status(name: string): Promise<string>
}

/** A real runsvdir with services of these scripts; returns when all of them run. At the end nothing of them does. */
export async function startRunit(runsvdir: string, scripts: Readonly<Record<string, string>>): Promise<RealRunit> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-runit-'))
  const service = (name: string) => join(folder, 'services', name)
  const names = Object.keys(scripts)
  for (const name of names) {
    await mkdir(service(name), { recursive: true })
    await writeFile(join(service(name), 'run'), `#!/bin/sh\n${scripts[name]}\n`)
    await chmod(join(service(name), 'run'), 0o755)
  }
  const supervisor = spawn(runsvdir, ['-P', join(folder, 'services')], { stdio: 'ignore' })
  const status = async (name: string) => (await runProcess('sv', ['status', service(name)])).stdout
  const statuses = () => Promise.all(names.map(status))
  await until('its services run', statuses, (lines) => lines.every((line) => line.startsWith('run:')))
  return {
    folder,
    service,
    status,
    async [Symbol.asyncDispose]() {
      // SIGHUP: it ends its services and then itself.
      supervisor.kill('SIGHUP')
      if (supervisor.exitCode === null && supervisor.signalCode === null) await once(supervisor, 'exit')
      for (const name of names) await runProcess('sv', ['-w', '0', 'kill', service(name)])
      await until('its services have ended', statuses, (lines) => !lines.some((line) => line.startsWith('run:')))
      await rm(folder, { recursive: true })
    },
  }
}
