import { describe, expect, test } from 'vitest'
import { serving } from '../../test/support/http.ts'
import { until } from '../../test/support/until.ts'
import type { DetectionWatch, Probe } from '../catalog/index.ts'
import { HoldfastError, systemClock } from '../kernel/index.ts'
import { observe, type ObserverEvent, type ObserverJob } from './observer.ts'
import type { ObserverReport } from './report.ts'

const nowhere: Probe = { kind: 'tcp', host: '127.0.0.1', port: 1, timeoutMs: 1000 }

function watchOf(probes: readonly Probe[], failing: 'any' | 'all' = 'any'): DetectionWatch {
  return { probes, failing, observers: ['north'], needed: 1, everyMs: 50, forMs: 100, quietMs: 0 }
}

/** An observer that keeps what it reports; `broken` may throw, or hang, instead. */
function observer(watch: DetectionWatch, parts: Partial<ObserverJob> = {}, broken: () => Promise<void> = async () => {}) {
  const reports: ObserverReport[] = []
  const events: ObserverEvent[] = []
  const job: ObserverJob = {
    observer: 'north',
    site: 'n',
    plans: [{ plan: 'back', watch }],
    reporter: {
      newestEpoch: () => Promise.resolve(0),
      async publish(report) {
        await broken()
        reports.push(report)
      },
    },
    epoch: 3,
    identity: { boot: '', host: 'h', pid: 1 },
    clock: systemClock,
    resolveSecret: () => Promise.reject(new Error('no secrets')),
    onEvent: (event) => events.push(event),
    ...parts,
  }
  return { job, reports, events }
}

/** Observes until the condition holds. */
async function observing({ job, ...seen }: ReturnType<typeof observer>, what: string, holds: () => boolean): Promise<void> {
  const stop = new AbortController()
  const running = observe(job, {}, stop.signal).catch((error: unknown) => error)
  await until(
    what,
    async () => ({ reports: seen.reports.length, holds: holds() }),
    (answer) => answer.holds,
    15_000,
  )
  stop.abort(new Error('enough'))
  await running
}

describe('an observer', () => {
  test('reports after each look, counts its reports, and how long it has seen the same', async () => {
    let status = 200
    await using server = await serving((_, response) => response.writeHead(status).end())
    const north = observer(watchOf([{ kind: 'http', url: server.url, status: 200, timeoutMs: 1000 }]))
    await observing(north, 'it has seen a change', () => {
      if (north.reports.length > 3) status = 503
      return (north.reports.at(-1)?.plans.back?.state ?? 'up') === 'down' && (north.reports.at(-1)?.plans.back?.looks ?? 0) > 2
    })
    expect(north.reports.map(({ seq }) => seq)).toEqual(north.reports.map((_, index) => index + 1))
    expect(new Set(north.reports.map(({ epoch }) => epoch))).toEqual(new Set([3]))
    const back = north.reports.at(-1)?.plans.back
    expect(back?.heldMs).toBeGreaterThan(0)
    expect(back?.beganMs).toBeGreaterThanOrEqual(back?.heldMs ?? 0)
    expect(back?.probes[0]).toMatchObject({ well: false, because: 'answered 503, not 200' })
    expect(north.events).toContainEqual(expect.objectContaining({ type: 'observed', before: 'up', state: 'down' }))
  })

  test('is blind, not a witness, while it does not reach its reference either', async () => {
    const north = observer(watchOf([nowhere]), { reference: nowhere })
    await observe(north.job, { once: true }, new AbortController().signal)
    expect(north.reports[0]?.plans.back).toMatchObject({ state: 'blind', reference: { well: false } })
  })

  test('sees a service well that it reaches, whatever its reference says', async () => {
    await using server = await serving((_, response) => response.writeHead(200).end())
    const north = observer(watchOf([{ kind: 'http', url: server.url, status: 200, timeoutMs: 1000 }]), { reference: nowhere })
    await observe(north.job, { once: true }, new AbortController().signal)
    expect(north.reports[0]?.plans.back?.state).toBe('up')
  })

  test.each([
    ['any', 'down'],
    ['all', 'up'],
  ] as const)('with failing: %s one failing probe of two makes it %s', async (failing, state) => {
    await using server = await serving((_, response) => response.writeHead(200).end())
    const north = observer(watchOf([nowhere, { kind: 'http', url: server.url, status: 200, timeoutMs: 1000 }], failing))
    await observe(north.job, { once: true }, new AbortController().signal)
    expect(north.reports[0]?.plans.back?.state).toBe(state)
  })

  test('goes on looking while its reports are lost, says so once, and sends the newest when the way is free', async () => {
    let failures = 0
    const north = observer(watchOf([nowhere]), {}, async () => {
      if (failures++ < 5) throw new HoldfastError('storage-failed', { message: 'no way' })
    })
    await observing(north, 'it reports again', () => north.reports.length > 0)
    expect(north.reports[0]?.plans.back?.looks).toBeGreaterThan(4)
    expect(north.events.filter(({ type }) => type === 'report-lost')).toHaveLength(1)
    expect(north.events.filter(({ type }) => type === 'reporting')).toMatchObject([{ lostMs: expect.any(Number) as number }])
  })

  test('goes on looking while its report hangs', async () => {
    const north = observer(watchOf([nowhere]), {}, () => new Promise(() => {}))
    await observing(north, 'it has looked ten times', () => north.events.filter(({ type }) => type === 'observed').length > 10)
    expect(north.reports).toEqual([])
  })

  test('begins behind what was reported before, when its machine has forgotten', async () => {
    const north = observer(watchOf([nowhere]))
    const reporter = { ...north.job.reporter, newestEpoch: () => Promise.resolve(41) }
    await observe({ ...north.job, reporter }, { once: true }, new AbortController().signal)
    expect(north.reports[0]).toMatchObject({ epoch: 42, seq: 1 })
  })

  test('ends when another process has taken its name', async () => {
    const north = observer(watchOf([nowhere]), {}, () => Promise.reject(new HoldfastError('run-busy', { message: 'another' })))
    await expect(observe(north.job, {}, AbortSignal.timeout(15_000))).rejects.toMatchObject({ code: 'run-busy' })
  })

  test('asked for one look, fails when its report does not get through', async () => {
    const north = observer(watchOf([nowhere]), {}, () =>
      Promise.reject(new HoldfastError('storage-failed', { message: 'no way' })),
    )
    await expect(observe(north.job, { once: true }, new AbortController().signal)).rejects.toMatchObject({
      code: 'storage-failed',
    })
  })
})
