import { blocker, HoldfastError, quote, runProcess, type Finding } from '../kernel/index.ts'
import type { ServiceState, Supervisor } from './supervisor.ts'

const asked = [
  'Id',
  'LoadState',
  'LoadError',
  'ActiveState',
  'SubState',
  'MainPID',
  'InvocationID',
  'Job',
  'Result',
  'Type',
  'RemainAfterExit',
  'TriggeredBy',
  'RequiredBy',
  'RequisiteOf',
  'BoundBy',
  'ConsistsOf',
  'PropagatesStopTo',
] as const

/** systemd.unit(5): a stop of the unit is a stop of what these name, too. */
const stopsToo = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'] as const

type Properties = Readonly<Record<(typeof asked)[number], string>>

/** Units of the system's own manager, by `systemctl`. The properties are those of org.freedesktop.systemd1(5). */
export const systemd: Supervisor = {
  async findings(unit, order, signal) {
    const properties = await show(unit, signal)
    const { LoadState, LoadError, Type, RemainAfterExit } = properties
    if (LoadState === 'not-found') return [blocker('service-missing', `there is no unit ${unit}`)]
    if (LoadState === 'masked') {
      // What was masked while it ran still runs, and can be stopped.
      if (order === 'stop') return []
      return [blocker('service-masked', `${unit} is masked: it cannot be started`, `\`systemctl unmask ${unit}\`, if it may run`)]
    }
    if (LoadState !== 'loaded') {
      const message = `the file of ${unit} cannot be used (${[LoadState, LoadError].filter(Boolean).join(': ')})`
      return [blocker('service-unusable', message, `\`systemd-analyze verify ${unit}\``)]
    }
    if (order !== 'stop' && Type === 'oneshot' && RemainAfterExit !== 'yes') {
      const message = `${unit} runs once and ends: nothing can be seen to stay up`
      return [blocker('service-does-not-stay', message, 'run it with the action `shell`, or give it RemainAfterExit=yes')]
    }
    return order === 'stop' ? await triggers(unit, properties, signal) : []
  },

  async read(unit, signal) {
    return stateOf(unit, await show(unit, signal))
  },

  async stoppedWith(unit, signal) {
    const found = new Set<string>()
    const waiting = [unit]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const properties = await show(next, signal)
      for (const other of new Set(stopsToo.flatMap((name) => properties[name].split(' ').filter(Boolean)))) {
        if (found.has(other) || other === unit || !isUp(await show(other, signal))) continue
        found.add(other)
        waiting.push(other)
      }
    }
    return [...found]
  },

  async tell(unit, order, signal, environment = {}) {
    // What is in failed would else refuse to start for having been started too often.
    if (order !== 'stop') await systemctl(['--no-ask-password', 'reset-failed', unit], signal, environment)
    const { exitCode, stdout, stderr } = await systemctl(['--no-block', '--no-ask-password', order, unit], signal, environment)
    const text = [stdout.trim(), stderr.trim()].filter(Boolean).join(' ')
    if (exitCode === 0) return text
    throw new HoldfastError('command-failed', {
      message: `systemd refuses to ${order} ${unit}: ${text}`,
      hint: /authentication|access denied/i.test(text)
        ? `run as root, or allow this user to manage ${unit} with polkit`
        : `\`systemctl status ${unit}\``,
      retryable: true,
    })
  },

  manual: (unit, order) => [
    `systemctl ${order} ${quote(unit)}`,
    `systemctl show -p ActiveState,SubState,MainPID ${quote(unit)}   # expect ActiveState=${order === 'stop' ? 'inactive (or failed)' : 'active'}`,
  ],

  look: (unit) => `\`systemctl status ${unit}\`, \`journalctl -u ${unit}\``,
}

function stateOf(unit: string, found: Properties): ServiceState {
  const { LoadState, ActiveState, SubState, MainPID, InvocationID, Job, Result } = found
  if (LoadState === 'not-found' && ActiveState === 'inactive') {
    throw new HoldfastError('command-failed', {
      message: `there is no unit ${unit}`,
      hint: '`systemctl list-unit-files` shows those that there are; after a new file, `systemctl daemon-reload`',
    })
  }
  const failed = ActiveState === 'failed' ? { failed: Result } : {}
  return {
    up: isUp(found),
    pid: MainPID === '' || MainPID === '0' ? undefined : Number(MainPID),
    instance: InvocationID === '' ? undefined : InvocationID,
    settled: (Job === '' || Job === '0') && (ActiveState === 'active' || ActiveState === 'inactive' || ActiveState === 'failed'),
    words: `${[ActiveState, SubState].join(' ')}${LoadState === 'masked' ? ', masked' : ''}`,
    ...failed,
  }
}

function isUp({ ActiveState }: Properties): boolean {
  return ActiveState === 'active' || ActiveState === 'reloading' || ActiveState === 'refreshing'
}

/** A socket, timer or path that is active starts the service again as soon as something asks for it. */
async function triggers(unit: string, { TriggeredBy }: Properties, signal: AbortSignal): Promise<Finding[]> {
  const found: Finding[] = []
  for (const trigger of TriggeredBy.split(' ').filter(Boolean)) {
    const { ActiveState } = await show(trigger, signal)
    if (ActiveState !== 'active') continue
    const message = `${trigger} is active: it can start ${unit} again after it was stopped`
    found.push({ severity: 'warning', code: 'service-triggered', message, hint: `stop ${trigger} in a step before` })
  }
  return found
}

async function show(unit: string, signal: AbortSignal): Promise<Properties> {
  const { exitCode, stdout, stderr } = await systemctl(['show', `--property=${asked.join(',')}`, unit], signal)
  const values = new Map(stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  if (exitCode !== 0 || !values.get('ActiveState')) {
    throw new HoldfastError('command-failed', {
      message: `the state of ${unit} cannot be read: ${stderr.trim() || `systemctl ended with ${exitCode}`}`,
      hint: 'check that systemd runs here (`systemctl is-system-running`), and that this user may ask it',
      retryable: true,
    })
  }
  return Object.fromEntries(asked.map((name) => [name, values.get(name) ?? ''])) as Properties
}

async function systemctl(args: readonly string[], signal: AbortSignal, environment: Readonly<Record<string, string>> = {}) {
  return await runProcess('systemctl', args, { env: { ...process.env, LC_ALL: 'C', ...environment } }, signal)
}
