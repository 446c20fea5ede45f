import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { startRunit, type RealRunit } from '../support/runit.ts'
import { startSystemd, type RealSystemd } from '../support/systemd.ts'

describeWith('systemd', 'service.stop under a real systemd', (nspawn) => {
  let systemd: RealSystemd

  const property = async (name: string, unit: string) =>
    (await systemd.systemctl('show', '--value', `--property=${name}`, unit)).trim()
  const states = async (...units: string[]) => await Promise.all(units.map((unit) => property('ActiveState', unit)))
  const stop = (service: string, more: object = {}) => bound('service.stop', { manager: 'systemd', service, ...more })

  beforeAll(async () => {
    systemd = await startSystemd(nspawn)
    vi.stubEnv('PATH', `${systemd.programs}${delimiter}${process.env.PATH ?? ''}`)
    const sleeps = '[Service]\nExecStart=/bin/sleep 1000\n'
    await systemd.addUnits({
      'store.service': sleeps,
      'api.service': `${sleeps}[Unit]\nRequires=store.service\nAfter=store.service\n`,
      'worker.service': `${sleeps}[Unit]\nBindsTo=api.service\nAfter=api.service\n`,
      'idle.service': `${sleeps}[Unit]\nRequires=store.service\n`,
      'masked.service': sleeps,
      'base.service': sleeps,
      'kept.service': sleeps,
      // Of a unit that nothing refers to, systemd forgets everything as soon as it is stopped.
      'all.target': '[Unit]\nRequires=base.service\nWants=kept.service\nAfter=base.service\n',
    })
    await systemd.systemctl('start', 'worker.service', 'masked.service', 'all.target')
    await systemd.systemctl('mask', 'masked.service')
  })
  afterAll(async () => {
    await systemd[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  })

  test('a service is stopped with what needs it, and all that ran, and only that, runs again at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(stop('store.service'), 60_000, never)
    expect(fault.targets.toSorted()).toEqual(['api', 'store', 'worker'].map((name) => `service ${name}.service of systemd`))
    expect(await states('store.service', 'api.service', 'worker.service')).toEqual(['inactive', 'inactive', 'inactive'])
    expect(await fault.look(never)).toEqual({ state: 'present' })
    expect(await fault.end()).toMatchObject({ by: 'injector' })
    expect(await states('store.service', 'api.service', 'worker.service', 'idle.service')).toEqual([
      'active',
      'active',
      'active',
      'inactive',
    ])
  })

  test('what somebody started meanwhile, and stopped again, is not started at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(stop('kept.service'), 60_000, never)
    await systemd.systemctl('start', 'kept.service')
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    await systemd.systemctl('stop', 'kept.service')
    await fault.end()
    expect(await states('kept.service')).toEqual(['inactive'])
  })

  test('what was started anew since it was chosen is not stopped', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, {
      afterRecord: (step) => {
        if (step === 'recorded') spawnSync(join(systemd.programs, 'systemctl'), ['restart', 'worker.service'])
      },
    })
    await expect(guard.inject(stop('worker.service'), 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('worker.service is not what it was') as string,
    })
    expect(await states('worker.service')).toEqual(['active'])
  })

  test('what somebody has stopped since it was chosen stays down', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, {
      afterRecord: (step) => {
        if (step === 'injecting') spawnSync(join(systemd.programs, 'systemctl'), ['stop', 'worker.service'])
      },
    })
    await expect(guard.inject(stop('worker.service'), 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await states('worker.service')).toEqual(['inactive'])
    await systemd.systemctl('start', 'worker.service')
  })

  test.for([
    ['idle.service', 'does not run'],
    ['nowhere.service', 'there is no unit'],
    ['masked.service', 'it cannot be started'],
    ['base.service', 'all.target would stop with base.service'],
  ] as const)('%s is refused: %s', async ([service, because]) => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    await expect(guard.inject(stop(service), 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining(because) as string,
    })
  })

  test('an experiment that is killed leaves the services running, at whatever step', { timeout: 600_000 }, async () => {
    await expectNothingLeft('service.stop', { manager: 'systemd', service: 'api.service' }, async (after) => {
      expect(await states('store.service', 'api.service', 'worker.service'), after).toEqual(['active', 'active', 'active'])
    })
  })
})

describeWith('runit', 'service.stop under a real runit', (runsvdir) => {
  let runit: RealRunit

  beforeAll(async () => {
    runit = await startRunit(runsvdir, { api: 'exec sleep 1000' })
  })
  afterAll(() => runit[Symbol.asyncDispose]())

  const params = () => ({ manager: 'runit', service: runit.service('api') })

  test('a service is stopped, and started again at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('service.stop', params()), 60_000, never)
    expect(await runit.status('api')).toMatch(/^down:/)
    expect(await fault.look(never)).toEqual({ state: 'present' })
    const again = guard.inject(bound('service.stop', params()), 60_000, never)
    await expect(again).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('does not run') as string,
    })
    await fault.end()
    expect(await runit.status('api')).toMatch(/^run:/)
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('what somebody has stopped since it was chosen stays down', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, {
      afterRecord: (step) => {
        if (step === 'injecting') spawnSync('sv', ['-w', '5', 'down', runit.service('api')])
      },
    })
    const refused = guard.inject(bound('service.stop', params()), 60_000, never)
    await expect(refused).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await runit.status('api')).toMatch(/^down:/)
    spawnSync('sv', ['-w', '5', 'up', runit.service('api')])
    await expect.poll(() => runit.status('api')).toMatch(/^run:/)
  })

  test('an experiment that is killed leaves the service running, at whatever step', { timeout: 600_000 }, async () => {
    await expectNothingLeft('service.stop', params(), async (after) => {
      expect(await runit.status('api'), after).toMatch(/^run:/)
    })
  })

  test('what does not name a service is refused', () => {
    expect(() => bound('service.stop', { manager: 'runit', service: 'api' })).toThrow(/an absolute path/)
    expect(() => bound('service.stop', { manager: 'systemd', service: 'a*' })).toThrow(/the name of one unit/)
  })
})
