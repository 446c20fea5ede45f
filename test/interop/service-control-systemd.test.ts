import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { actions, type BoundAction } from '../../src/actions/index.ts'
import { contextIn } from '../support/plans.ts'
import { describeWith } from '../support/peers.ts'
import { startSystemd, type RealSystemd } from '../support/systemd.ts'

let folder: string
let systemd: RealSystemd
let key = 0
const signal = new AbortController().signal
const attempt = () => ({ signal, idempotencyKey: `r/${key}`, attempt: 1, fencingToken: 1, timeoutMs: 60_000 })
const after = (previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: `r/${key}`, previous })
const context = () => contextIn(folder)

function control(to: string, service = 'plain.service', more: object = {}): BoundAction {
  const action = actions.find(({ kind }) => kind === 'service.control')
  if (action === undefined) throw new Error('there is no service.control')
  return action.bind({ manager: 'systemd', service, to, ...more })
}

const property = async (name: string, unit = 'plain.service') =>
  (await systemd.systemctl('show', '--value', `--property=${name}`, unit)).trim()

describeWith('systemd', 'service.control under a real systemd', (nspawn) => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-control-'))
    systemd = await startSystemd(nspawn)
    vi.stubEnv('PATH', `${systemd.programs}${delimiter}${process.env.PATH ?? ''}`)
    const service = (lines: string) => `[Service]\n${lines}\n`
    await systemd.addUnits({
      'plain.service': service('ExecStart=/bin/sleep 1000'),
      'masked.service': service('ExecStart=/bin/sleep 1000'),
      'crashing.service': service("ExecStart=/bin/sh -c 'sleep 0.2; exit 3'"),
      'looping.service':
        service("Restart=always\nRestartSec=100ms\nExecStart=/bin/sh -c 'sleep 0.1; exit 3'") +
        '[Unit]\nStartLimitIntervalSec=0\n',
      'stubborn.service': service(`TimeoutStopSec=1h\nExecStart=/bin/sh -c "trap '' TERM; while :; do sleep 0.1; done"`),
      'once.service': service('Type=oneshot\nExecStart=/bin/true'),
      'broken.service': service('Type=simple'),
      'asked.service': service('ExecStart=/bin/sleep 1000'),
      'asked.socket': '[Socket]\nListenStream=/run/asked.socket\n',
    })
    await systemd.systemctl('start', 'plain.service', 'stubborn.service', 'asked.socket', 'asked.service', 'masked.service')
    await systemd.systemctl('mask', 'masked.service')
  })
  beforeEach(() => {
    key++
  })
  afterAll(async () => {
    await systemd.systemctl('kill', '--signal=SIGKILL', 'stubborn.service')
    await systemd[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })

  test('it stops, stays stopped, and is started again by the undo', async () => {
    const action = control('stop')
    expect(await action.preflight(context(), signal)).toEqual([])
    expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
    expect(await action.run(context(), attempt())).toEqual({ up: false, pid: null, wasUp: true })
    expect(await property('ActiveState')).toBe('inactive')
    expect((await action.probe(context(), after('interrupted'))).state).toBe('done')
    await action.undo(null, context(), attempt())
    await action.undo(null, context(), attempt())
    expect(await property('ActiveState')).toBe('active')
  })

  test('what was stopped before is not started by the undo', async () => {
    await control('stop').run(context(), attempt())
    key++
    const action = control('stop')
    expect(await action.run(context(), attempt())).toMatchObject({ wasUp: false })
    await action.undo(null, context(), attempt())
    expect(await property('ActiveState')).toBe('inactive')
    key++
    const started = await control('start').run(context(), attempt())
    expect(started).toEqual({ up: true, wasUp: false, pid: Number(await property('MainPID')) })
  })

  test('a restart gives another process, and one that was interrupted can tell', async () => {
    const before = Number(await property('MainPID'))
    const action = control('restart')
    expect(action.canUndo).toBe(false)
    expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
    const output = await action.run(context(), attempt())
    expect(output).toEqual({ up: true, wasUp: true, pid: Number(await property('MainPID')) })
    expect(output).not.toMatchObject({ pid: before })
    expect((await action.probe(context(), after('interrupted'))).state).toBe('done')
  })

  test('a service that ends right after its start is not called started, and the error has the reason', async () => {
    const action = control('start', 'crashing')
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'command-failed',
      message: 'crashing was told to start and failed (failed failed: exit-code)',
      hint: expect.stringContaining('journalctl -u crashing') as string,
    })
    expect(await action.probe(context(), after('failed'))).toEqual({ state: 'not-done' })
  })

  test('a service that is started again and again is not called started', async () => {
    await expect(control('start', 'looping.service', { within: '3s' }).run(context(), attempt())).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('looping.service was told to start') as string,
    })
    expect(await control('stop', 'looping.service').run(context(), attempt())).toMatchObject({ up: false })
  })

  test('a service that ignores being told to stop is not called stopped', async () => {
    const action = control('stop', 'stubborn.service', { within: '500ms' })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('deactivating') as string,
    })
    expect((await action.probe(context(), after('interrupted'))).state).toBe('unknown')
  })

  test('a masked unit is told from a missing and from a broken one; masked while it ran, it can still be stopped', async () => {
    const codes = async (to: string, unit: string) =>
      (await control(to, unit).preflight(context(), signal)).map(({ severity, code }) => `${severity} ${code}`)
    expect(await codes('start', 'masked.service')).toEqual(['blocker service-masked'])
    expect(await codes('start', 'nowhere.service')).toEqual(['blocker service-missing'])
    expect(await codes('start', 'broken.service')).toEqual(['blocker service-unusable'])
    expect(await codes('restart', 'once.service')).toEqual(['blocker service-does-not-stay'])
    expect(await codes('stop', 'masked.service')).toEqual([])

    const stop = control('stop', 'masked.service')
    expect(await stop.run(context(), attempt())).toEqual({ up: false, pid: null, wasUp: true })
    await expect(stop.undo(null, context(), attempt())).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('masked') as string,
    })
  })

  test('a socket that would start the stopped service again is warned of', async () => {
    const stop = control('stop', 'asked.service')
    expect(await stop.preflight(context(), signal)).toMatchObject([
      { severity: 'warning', code: 'service-triggered', message: expect.stringContaining('asked.socket') as string },
    ])
    await systemd.systemctl('stop', 'asked.socket')
    expect(await stop.preflight(context(), signal)).toEqual([])
  })

  test('a pattern, which would be many units, is refused', () => {
    expect(() => control('stop', 'post*')).toThrow(/the name of one unit/)
    expect(() => control('stop', '--now')).toThrow(/the name of one unit/)
  })
})
