import { stat } from 'node:fs/promises'
import { blocker, HoldfastError, identityOf, quote, runProcess, systemCode } from '../kernel/index.ts'
import type { ServiceState, Supervisor } from './supervisor.ts'

/** Services that are folders under runsvdir, by `sv`. */
export const runit: Supervisor = {
  async findings(service, _order, signal) {
    const problem = await stat(service).then(
      () => undefined,
      (error: unknown) => (systemCode(error) === 'ENOENT' ? `there is no service folder ${service}` : String(error)),
    )
    if (problem !== undefined) return [blocker('service-missing', problem)]
    await readState(service, signal)
    return []
  },
  read: readState,
  // Without waiting: how long that takes is ours to bound, and the state is read by us. What `sv` says of it shows in the state.
  tell: async (service, order, signal, environment = {}) =>
    (await runProcess('sv', ['-w', '0', order, service], { env: { ...process.env, ...environment } }, signal)).stdout.trim(),
  // It knows no dependencies.
  stoppedWith: async () => [],
  manual: (service, order, withinMs) => [
    `sv -w ${Math.ceil(withinMs / 1000)} ${order} ${quote(service)}`,
    `sv status ${quote(service)}   # expect ${order === 'stop' ? 'down' : 'run'}`,
  ],
  look: (service) => `look at its log, and at \`sv status ${service}\``,
}

/** `run: DIR: (pid N) 5s`, `down: DIR: 1s, normally up, want up`, `finish: …`, `fail: …`. Throws `command-failed` where nothing supervises it. */
async function readState(service: string, signal: AbortSignal): Promise<ServiceState> {
  const { stdout, stderr } = await runProcess('sv', ['status', service], { env: { ...process.env, LC_ALL: 'C' } }, signal)
  // A second part, after a semicolon, is of its logger.
  const line = stdout.split(/[;\n]/)[0] ?? ''
  const [, word] = /^(run|down|finish): /.exec(line) ?? []
  if (word === undefined) {
    throw new HoldfastError('command-failed', {
      message: `the state of ${service} cannot be read: ${[line, stderr.trim()].filter(Boolean).join(' ')}`,
      hint: 'check that runsvdir runs for the folder that it is in, and that this user may ask',
      retryable: true,
    })
  }
  const pid = /\(pid (\d+)\)/.exec(line)?.[1]
  return {
    up: word === 'run',
    pid: pid === undefined ? undefined : Number(pid),
    // A number alone is used again.
    instance: pid === undefined ? undefined : `${pid} ${(await identityOf(Number(pid)))?.started ?? ''}`,
    settled: word !== 'finish' && !/, want |, got /.test(line),
    words: line,
  }
}
