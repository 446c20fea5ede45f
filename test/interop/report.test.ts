import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EvidenceBody, EvidenceKind } from '../../src/ledger/index.ts'
import {
  createCatalogRepository,
  loadRunCatalog,
  openCatalogRepository,
  recordEvidence,
  writeReport,
  type ReportFacts,
} from '../../src/service/index.ts'
import { backupBody, recoveryBody } from '../support/evidence.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'

/** What would show up if any of it were taken for markup. */
const hostile = `</td><script>document.title = 'run'</script><img src="http://127.0.0.1:9/x" onerror="document.title = 'run'">"'&`

const catalogText = `
version: 1
name: shop
sites: { hq: {}, away: {} }
repositories:
  nas: { url: nas, site: away, password: { file: ./password } }
  gone: { url: gone, site: hq, password: { file: ./password } }
services:
  orders: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 15m }, recovery: back, data: { files: { paths: [/srv/orders] } }, backup: { to: nas } }
  never: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 5m } }
plans: { back: { recovers: [orders], steps: [{ id: up, do: { shell: { run: 'true' } }, check: { http.check: { url: 'http://localhost/' } } }] } }
accepted: [{ lint: no-owner, because: ${JSON.stringify(hostile)}, by: ann, until: 2030-01-01 }]
`

const drill = {
  status: 'succeeded',
  requestedBy: 'ann',
  participants: ['ann', hostile],
  changes: [{ step: 'dns', how: 'skipped', because: hostile }],
  steps: [{ id: 'up', kind: 'shell', state: 'done' }],
  findings: [{ id: 'f1', code: 'slow', message: hostile, owner: 'ann', dueAt: '2026-01-01T00:00:00.000Z' }],
}

const experiment: EvidenceBody<'experiment'> = {
  runId: 'chaos-1',
  experiment: `lose-orders ${hostile}`,
  hash: 'b'.repeat(64),
  environment: 'dev',
  services: ['orders'],
  by: 'ann',
  startedAt: '2026-01-02T03:04:05.000Z',
  endedAt: '2026-01-02T03:05:05.000Z',
  verdict: 'fail',
  because: ['it did not come back'],
  samples: { during: { slots: 10, seen: 9, steady: 3 } },
  faults: [{ name: 'process.kill', targets: [hostile], state: 'injected', undo: 'gone' }],
  basis: { runs: 2, passed: 1, lower: 0.09, upper: 0.91 },
}

const restore: EvidenceBody<'restore'> = {
  repository: 'nas',
  snapshot: 'c'.repeat(64),
  source: 'files',
  sizeBytes: 2 ** 30,
  files: 1234,
  durationMs: 61_000,
  verifiedFiles: 1230,
  skipped: 0,
}

describeWith('chromium', 'a report', (chromium) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let facts: ReportFacts
  let html: string
  const file = (name: string) => join(folder.path, name)
  const write = async (format: 'html' | 'json' | 'pdf') => {
    const catalog = await loadRunCatalog(file('holdfast.yaml'))
    const period = { from: new Date(Date.now() - 86_400_000), to: new Date(Date.now() + 86_400_000) }
    return writeReport(catalog, { format, period, host: 'here' }, new AbortController().signal)
  }
  const read = (program: string, ...args: string[]) => spawnSync(program, args, { encoding: 'utf8' }).stdout
  const browse = (...args: string[]) =>
    spawnSync(chromium, ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${file('profile')}`, ...args], {
      encoding: 'utf8',
      timeout: 100_000,
    })

  beforeAll(async () => {
    folder = await temporaryFolder('report')
    await writeFile(file('holdfast.yaml'), catalogText)
    await writeFile(file('password'), 'a password')
    const catalog = await loadRunCatalog(file('holdfast.yaml'))
    await (await createCatalogRepository(catalog, 'nas'))[Symbol.asyncDispose]()
    await using repository = await openCatalogRepository(catalog, 'nas')
    const record = async <Kind extends EvidenceKind>(kind: Kind, body: EvidenceBody<Kind>) =>
      recordEvidence(repository, kind, body, { service: 'orders', catalogPath: catalog.file })
    await record('backup', { ...backupBody('s1'), skipped: 2 })
    await record('restore', restore)
    await record('restore', { ...restore, verifiedFiles: 0 })
    await record('recovery', recoveryBody('run-1', { plan: 'back', mode: 'drill-sandbox', drill }))
    await record('recovery', recoveryBody('run-2', { plan: 'back', outcome: 'failed' }))
    await record('experiment', experiment)
    const counts = { snapshots: 1, packs: 1, blobs: 1, readBytes: 10, durationMs: 1 }
    await record('check', { repository: 'nas', depth: 'data', ...counts, findings: [{ code: 'pack-damaged', count: 3 }] })
    const written = await write('html')
    facts = written.facts
    html = written.content as string
    await writeFile(file('report.html'), html)
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  test('says what is on record, with counts, and what nobody knows', () => {
    expect(facts.unseen).toMatchObject([{ repository: 'gone' }])
    expect(facts.runs.map(({ body, shown }) => [body.runId, shown.outcome])).toEqual([
      ['run-1', 'completed'],
      ['run-2', 'failed'],
    ])
    expect(facts.restores.map(({ body }) => body.verifiedFiles)).toEqual([1230, 0])
    expect(facts.ledgers).toMatchObject([{ repository: 'nas', records: 7, uncounted: 0, head: { seq: 7 } }])
    expect(facts.status.services.find(({ service }) => service === 'never')).toMatchObject({ verdict: 'unknown' })
  })

  test('is the same facts as JSON, with what each requirement rests on', async () => {
    const { content } = await write('json')
    const json = JSON.parse(content as string) as { restores: unknown[]; controls: { reference: string; support: string }[] }
    expect(json.restores).toHaveLength(2)
    expect(Object.fromEntries(json.controls.map(({ reference, support }) => [reference, support]))).toEqual({
      'A1.2': 'supported',
      'A1.3': 'supported',
      '8.4': 'in part',
      '8.5': 'supported',
      '3.4': 'supported',
      '3.5': 'supported',
      'Art. 11': 'supported',
      'Art. 12': 'supported',
      'REL 9': 'supported',
      'REL 13': 'supported',
    })
  })

  test('shows everything in a browser, runs nothing of what it shows, and loads nothing', () => {
    const { stdout } = browse('--dump-dom', `file://${file('report.html')}`)
    const [, title] = /<title>(.*?)<\/title>/.exec(stdout) ?? []
    expect(title).toBe('Disaster recovery of shop')
    expect(stdout).not.toMatch(/<(script|img|link|iframe|object|embed)\b/i)
    expect(stdout).not.toMatch(/<[^>]*\s(?:src|href|srcset|xlink:href|on\w+)\s*=/i)
    const text = stdout.replaceAll(/<style>.*?<\/style>/gs, '').replaceAll(/<[^>]+>/g, ' ')
    const hostileText = hostile.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    // A participant, a change, a finding (of the drill, and open), an accepted weakness, an experiment and its target.
    expect(text.split(hostileText).length - 1).toBeGreaterThanOrEqual(6)
    for (const said of [
      '1230',
      'none: no proof',
      '3 × pack-damaged',
      'errors (0)',
      'Achieved by orders, the worst of each month',
      'gone could not be looked into',
      'unknown',
      'DORA',
      'REL 13',
    ])
      expect(text).toContain(said)
    // Of the backups of a service, the newest and how many lack something.
    expect(text.replaceAll(/\s+/g, ' ')).toContain('orders nas files 1 2026-01-02 03:04 UTC 10 B 1')
    expect(stdout.match(/<svg/g)).toHaveLength(3)
  })

  test('is readable on paper: printed by the browser, and as our own PDF', async () => {
    await writeFile(file('own.pdf'), (await write('pdf')).content)
    browse('--no-pdf-header-footer', `--print-to-pdf=${file('printed.pdf')}`, `file://${file('report.html')}`)
    for (const name of ['own.pdf', 'printed.pdf']) {
      const stdout = read('pdftotext', '-layout', file(name), '-')
      const pages = stdout.split('\f').slice(0, -1)
      expect(pages.length).toBeGreaterThanOrEqual(8)
      for (const [number, title] of [
        [3, 'Recoveries and drills'],
        [4, 'Restore tests'],
        [6, 'Experiments'],
        [8, 'Requirements'],
      ])
        expect(stdout).toContain(`${number}. ${title}`)
      // Chapters begin on pages of their own.
      expect(pages.filter((page) => /^\s*[2-9]\. [A-Z]/.test(page))).toHaveLength(8)
    }
  })
})
