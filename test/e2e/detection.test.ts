import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Detection } from '../../src/service/index.ts'
import {
  detectionCatalog,
  healthService,
  holdfastProcess,
  type DetectionCatalog,
  type ObserverProcess,
} from '../support/detection.ts'
import { holdfast } from '../support/holdfast.ts'
import { line, type Line } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** Three real observers: north and east report through the repository, south to a collector behind a way that can be cut. */
describe('three observers of a service', () => {
  const stack = new AsyncDisposableStack()
  const env = { OBSERVER_TOKEN: 'a long token' }
  let service: Awaited<ReturnType<typeof healthService>>
  let watched: DetectionCatalog
  let way: Line
  const observers = new Map<string, ObserverProcess>()
  const start = (name: string) => {
    observers.set(name, stack.use(holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', name], env)))
  }
  const voiceOf = (found: Detection, name: string) => found.observers.find(({ observer }) => observer === name)

  beforeAll(async () => {
    process.env.OBSERVER_TOKEN = env.OBSERVER_TOKEN
    service = stack.use(await healthService())
    const port = await freeCollectorPort(stack)
    way = stack.use(await line(port))
    watched = stack.use(
      await detectionCatalog({
        probes: [{ http: `http://127.0.0.1:${service.port}/health`, timeout: '1s' }],
        observers: {
          north: {},
          south: { report: { http: `http://127.0.0.1:${way.port}`, token: { env: 'OBSERVER_TOKEN' } } },
          east: {},
        },
        service: (folder) => ({ data: { files: { paths: [join(folder, 'data')] } } }),
      }),
    )
    const collector = stack.use(holdfastProcess(['--catalog', watched.catalog, 'observe', '--listen', String(port)], env))
    await until(
      'until the collector listens',
      async () => collector.said(),
      (said) => said.includes('collecting at'),
    )
    for (const name of ['north', 'south', 'east']) start(name)
  })
  afterAll(() => stack.disposeAsync())

  test('see it well, and the command says so with 0', async () => {
    await until(
      'until all see it',
      () => watched.look(),
      ({ observers: all }) => all.every(({ says }) => says === 'up'),
    )
    const told = await holdfast(['--catalog', watched.catalog, '--json', 'detect', 'web'], { env })
    expect(told.stdout).not.toContain(env.OBSERVER_TOKEN)
    expect(told.exitCode).toBe(0)
    expect(told.json()).toMatchObject({
      verdict: 'healthy',
      service: 'web',
      plan: 'back',
      rule: { needed: 2, of: 3, decide: 'ask' },
    })
  })

  test('do not call it down while it flaps', async () => {
    // On a machine that stands still for so long it would really have been down: then it is tried again.
    const { verdicts, voices } = await until('until it has flapped quickly enough', flap, ({ longestMs }) => longestMs < 800)
    expect(voices).toContain('down')
    expect(verdicts).not.toContain('down')
    await watched.whenIt('healthy')
  })

  /** Fails for a moment again and again, for longer than the hold time, while somebody judges it all the time. */
  async function flap() {
    await watched.whenIt('healthy')
    const verdicts = new Set<string>()
    const voices = new Set<string>()
    const flapping = new AbortController()
    const judging = (async () => {
      while (!flapping.signal.aborted) {
        const found = await watched.look()
        verdicts.add(found.verdict)
        for (const { says } of found.observers) voices.add(says)
      }
    })()
    let longestMs = 0
    for (let turn = 0; turn < 6; turn++) {
      const brokenAtMs = performance.now()
      service.answer(503)
      await delay(350)
      service.answer(200)
      longestMs = Math.max(longestMs, performance.now() - brokenAtMs)
      await delay(800)
    }
    flapping.abort()
    await judging
    return { longestMs, verdicts: [...verdicts], voices: [...voices] }
  }

  test('call nothing down while they are cut off one by one: what is not heard is no vote', async () => {
    way.cut()
    const one = await until(
      'until south is late, and the others see it well',
      () => watched.look(),
      (found) => voiceOf(found, 'south')?.says === 'nothing' && found.verdict === 'healthy',
    )
    expect(voiceOf(one, 'south')?.problem).toContain('cannot be reached')
    observers.get('north')?.signal('SIGSTOP')
    const two = await watched.whenIt('unknown')
    expect(two).toMatchObject({ because: 'too-few-observers', start: { start: false } })

    // It is really down now, and only east can say so.
    await service.kill()
    const three = await until(
      'until east sees it',
      () => watched.look(),
      (found) => {
        const east = voiceOf(found, 'east')
        return east?.says === 'down' && east.counts
      },
    )
    expect(three.verdict).toBe('unknown')
    const told = await holdfast(['--catalog', watched.catalog, 'detect', 'web'], { env })
    expect(told.exitCode).toBe(4)
    expect(told.stdout).toContain('fewer observers can be heard than the 2 that it takes')

    way.mend()
    observers.get('north')?.signal('SIGCONT')
    await watched.whenIt('down')
    await service.start()
    await watched.whenIt('healthy')
    expect(observers.get('south')?.said()).toMatch(/its reports do not arrive[^]*its reports arrive again/)
  })

  test('call it down after the hold time when it is killed, with its onset, and a person decides', async () => {
    await mkdir(join(watched.folder, 'data'))
    await writeFile(join(watched.folder, 'data', 'orders'), 'one')
    expect((await holdfast(['--catalog', watched.catalog, 'backup', '--service', 'web'])).exitCode).toBe(0)
    const waiting = holdfast(['--catalog', watched.catalog, '--json', 'detect', 'web', '--wait', '--act', '--timeout', '2m'], {
      env,
    })
    const before = Date.now()
    await service.kill()
    const waited = await waiting
    expect(waited.exitCode).toBe(4)
    const found = waited.json<{
      verdict: string
      since: string
      time: string
      start: object
      next: string
      wouldLose: { until: string; lostMs: number }[]
    }>()
    expect(found).toMatchObject({ verdict: 'down', start: { start: false, because: 'a-person-decides' } })
    expect(Date.parse(found.since)).toBeGreaterThanOrEqual(before - 1000)
    expect(Date.parse(found.time) - Date.parse(found.since)).toBeGreaterThanOrEqual(1500)
    expect(found.next).toContain(`holdfast recover web --onset ${found.since}`)
    const [lost] = found.wouldLose
    expect(found.wouldLose).toMatchObject([{ service: 'web', repository: 'far', byWal: false }])
    expect(lost?.lostMs).toBe(Math.max(0, Date.parse(found.since) - Date.parse(lost?.until ?? '')))
    expect(await watched.runs()).toEqual([])
    await service.start()
    await watched.whenIt('healthy')
  })

  test('are known again after a restart, and hold nothing from before it', async () => {
    await service.kill()
    await watched.whenIt('down')
    const before = voiceOf(await watched.look(), 'north')
    observers.get('north')?.signal('SIGKILL')
    await observers.get('north')?.ended()
    const startedMs = performance.now()
    start('north')
    const after = await until(
      'until north reports anew',
      () => watched.look(),
      (found) => {
        return (voiceOf(found, 'north')?.epoch ?? 0) > (before?.epoch ?? 0)
      },
    )
    expect(voiceOf(after, 'north')?.heldMs).toBeLessThan(performance.now() - startedMs)
    await service.start()
    await watched.whenIt('healthy')
  })

  test('leave a bounded number of reports', async () => {
    const left = await readdir(join(watched.folder, 'repository', 'holdfast', 'observations', 'east'))
    const report = voiceOf(await watched.look(), 'east')
    expect(report?.seq).toBeGreaterThan(30)
    expect(left.length).toBeLessThanOrEqual(21)
    // The newest stays for a while.
    const newest = left.toSorted((a, b) => b.localeCompare(a))[0] ?? ''
    const sealed = await readFile(join(watched.folder, 'repository', 'holdfast', 'observations', 'east', newest))
    expect(sealed.toString('latin1')).not.toContain('"observer"')
  })

  test('say so when their repository is gone, and report again when it is back', async () => {
    const config = join(watched.folder, 'repository', 'config')
    const said = () => Promise.resolve(observers.get('north')?.said() ?? '')
    await rename(config, `${config}-away`)
    await until('until north says so', said, (text) => text.includes('there is no repository at'))
    await rename(`${config}-away`, config)
    await until('until its reports arrive again', said, (text) => text.includes('its reports arrive again'))
    const heard = await until(
      'until it is heard',
      () => watched.look(),
      (found) => voiceOf(found, 'north')?.says === 'up',
    )
    expect(heard.observers).toHaveLength(3)
  })

  test('are each one process', async () => {
    const second = await holdfast(['--catalog', watched.catalog, 'observe', '--as', 'east'], { env })
    expect(second.exitCode).toBe(11)
    expect(second.stderr).toContain('each observer is one process')
  })

  test('end in order when they are told to', async () => {
    observers.get('east')?.signal('SIGTERM')
    expect(await observers.get('east')?.ended()).toBe(0)
  })
})

async function freeCollectorPort(stack: AsyncDisposableStack): Promise<number> {
  await using taken = await healthService()
  stack.defer(() => {
    delete process.env.OBSERVER_TOKEN
  })
  return taken.port
}
