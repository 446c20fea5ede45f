import { formatSize, HoldfastError, randomHex, systemClock, writeFileDurably, type Clock } from '../../kernel/index.ts'
import { createServer } from '../../postgres/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { createCatalogRepository, openCatalogRepository } from '../open-repository.ts'
import { protectService } from '../protect.ts'
import { openRepositoryLedger } from '../record-evidence.ts'
import { loadRunCatalog } from '../recovery/load-catalog.ts'
import { recoverService, type FinishedRun } from '../recovery/recover.ts'
import { demoCatalogText, demoPlan, demoServices, demoSlot } from './catalog-text.ts'
import { compareRows } from './compare-rows.ts'
import type { DemoOptions } from './demo-options.ts'
import { detectOutage } from './detect.ts'
import { type DemoPhase, type DemoProgress } from './events.ts'
import { createLayout, removeTree, type DemoLayout } from './layout.ts'
import { startProduction, type Production } from './production.ts'
import { compareFiles } from './receipts.ts'
import { startReceiver, type ReceiverProcess } from './receiver-process.ts'
import { judge } from './judge.ts'
import type { DemoReport } from './report.ts'
import type { Workload } from './workload.ts'

/**
 * Protects a live PostgreSQL and a folder of files, destroys both, recovers them by the plan of a catalog, and compares every acknowledged
 * row and every file with what came back. When it throws, interrupted or not, nothing is left: no process, no folder.
 */
export async function runDemo(options: DemoOptions, progress: DemoProgress, signal: AbortSignal): Promise<DemoReport> {
  const layout = await createLayout(options.keep)
  let finished = false
  try {
    const report = await tellStory(layout, options, progress, signal)
    finished = true
    return report
  } finally {
    if (!finished) await removeTree(layout.root)
    else if (options.keep === undefined) await removeTree(layout.recovery.root)
  }
}

async function tellStory(
  layout: DemoLayout,
  options: DemoOptions,
  progress: DemoProgress,
  signal: AbortSignal,
): Promise<DemoReport> {
  const clock = systemClock
  const { phase, tell } = phases(progress, clock)

  await using production = await phase(
    'prepare',
    () => startProduction(layout, signal),
    ({ installation, manifest }) => `PostgreSQL ${installation.fullVersion} and a folder of ${manifest.size} files are live`,
  )
  const catalog = await declare(layout, production, options.synchronous, signal)
  await using workload = await production.startWriting()
  await using receiver = await startReceiver(demoServices.database, { catalog: catalog.file, log: layout.receiverLog, env: {} })
  const copies = await phase(
    'protect',
    () => protect(catalog, production, receiver, options.synchronous, signal),
    ({ bytes }) => `backed up ${formatSize(bytes)}; WAL goes to the repository as it is written`,
  )
  await phase(
    'write',
    () => writeFor(options.seconds, { workload, receiver, clock, tell: (text) => tell('write', text) }, signal),
    (rows) => `${rows} rows acknowledged over ${workload.writers.length} connections`,
  )

  // Time down counts from before the blow, data lost from after it: each figure is at its worst.
  const onset = { at: clock.now(), monotonicMs: clock.monotonicMs() }
  const goneMs = await phase(
    'disaster',
    async () => {
      await production.server.kill()
      const goneMs = clock.monotonicMs()
      await production.destroy()
      return goneMs
    },
    () => 'the server is killed with SIGKILL; its data directory and the folder of files are deleted',
  )
  await phase(
    'detect',
    () => detectOutage(production.server.url, clock, signal),
    (asked) => `three health checks in a row failed (${asked} asked)`,
  )
  const detectedMs = clock.monotonicMs()
  await workload.stop()
  // It has received what it could; what it holds is stored before it ends.
  await receiver.stop()

  const recovered = await recoveredServer(layout, production)
  // However the recovery ends, the server that it starts must not outlive the demo.
  await using _stopped = { [Symbol.asyncDispose]: () => recovered.stop('immediate') }
  const run = await phase(
    'recover',
    () =>
      recoverService(
        {
          catalog,
          service: demoServices.database,
          onsetAt: onset.at,
          decisions: 'stop',
          onProgress: ({ step, text }) => tell('recover', `${step}: ${text}`),
        },
        signal,
      ),
    ({ outcome }) => `plan ${demoPlan}: ${outcome.status}, ${outcome.checksPassed} checks passed`,
  )
  assertSucceeded(run)
  const comparisonStartMs = clock.monotonicMs()
  const { rows, files } = await phase(
    'compare',
    async () => ({
      rows: await compareRows(recovered.url, workload.writers),
      files: await compareFiles(layout.recovery.files, production.manifest),
    }),
    (compared) =>
      `compared ${compared.rows.acknowledged} acknowledged rows and ${compared.files.expected} files with what came back`,
  )
  const endMs = clock.monotonicMs()
  await recovered.stop('fast')

  return judge({
    layout,
    options,
    run,
    rows,
    files,
    rpaMs: rows.newestRecoveredAtMs === undefined ? undefined : goneMs - rows.newestRecoveredAtMs,
    filesRpaMs: onset.at.getTime() - copies.filesAtMs,
    rtaMs: endMs - onset.monotonicMs,
    detectMs: detectedMs - onset.monotonicMs,
    compareMs: endMs - comparisonStartMs,
    ledgerHead: await ledgerHead(catalog, signal),
    postgres: production.installation.fullVersion,
  })
}

/** Runs the parts of the story, telling when each begins and what it came to. */
function phases(progress: DemoProgress, clock: Clock) {
  const tell = (phase: DemoPhase, text: string) => progress({ type: 'demo', event: 'progress', phase, text })
  const phase = async <Result>(name: DemoPhase, work: () => Promise<Result>, describe: (result: Result) => string) => {
    const startMs = clock.monotonicMs()
    progress({ type: 'demo', event: 'started', phase: name })
    const result = await work()
    progress({ type: 'demo', event: 'done', phase: name, durationMs: clock.monotonicMs() - startMs, text: describe(result) })
    return result
  }
  return { phase, tell }
}

/** Writes the catalog and makes its repository, as a user would. */
async function declare(layout: DemoLayout, production: Production, synchronous: boolean, signal: AbortSignal): Promise<Catalog> {
  await writeFileDurably(layout.passwordFile, `${randomHex(16)}\n`)
  const { server, installation } = production
  const text = demoCatalogText({ layout, databaseUrl: server.url, binDirectory: installation.binDir, synchronous })
  await writeFileDurably(layout.catalog, text, { mode: 0o644 })
  const catalog = await loadRunCatalog(layout.catalog, signal)
  await using _repository = await createCatalogRepository(catalog, 'local', {}, signal)
  return catalog
}

/** Backs up both services while the writers write. Gives the bytes that were read, and when the files were. */
async function protect(
  catalog: Catalog,
  production: Production,
  receiver: ReceiverProcess,
  synchronous: boolean,
  signal: AbortSignal,
): Promise<{ bytes: number; filesAtMs: number }> {
  await production.waitForReceiver(demoSlot, synchronous, signal, receiver.assertRunning)
  const backUp = async (service: string) =>
    (await protectService({ catalog, service }, () => {}, signal)).copies.map(({ summary }) => summary)
  const database = await backUp(demoServices.database)
  const files = await backUp(demoServices.files)
  return {
    bytes: [...database, ...files].reduce((sum, { totalBytesProcessed }) => sum + totalBytesProcessed, 0),
    filesAtMs: Math.min(...files.map(({ startedAtMs }) => startedAtMs)),
  }
}

/** Lets the writers write. Gives how many rows were acknowledged; throws when the receiver has ended, or nothing was. */
async function writeFor(
  seconds: number,
  {
    workload,
    receiver,
    clock,
    tell,
  }: { workload: Workload; receiver: ReceiverProcess; clock: Clock; tell: (text: string) => void },
  signal: AbortSignal,
): Promise<number> {
  const startMs = clock.monotonicMs()
  for (let leftMs = seconds * 1000; leftMs > 0; leftMs = seconds * 1000 - (clock.monotonicMs() - startMs)) {
    await clock.sleep(Math.min(leftMs, 250), signal)
    await receiver.assertRunning()
    const elapsed = Math.min(seconds, Math.round((clock.monotonicMs() - startMs) / 1000))
    tell(`writing: ${workload.acknowledged()} rows acknowledged, ${elapsed} of ${seconds} s`)
  }
  if (workload.acknowledged() === 0)
    throw new HoldfastError('internal', { message: 'no row was acknowledged: there is nothing to compare' })
  return workload.acknowledged()
}

/** The server that the plan starts, so that it can be asked and ended. */
function recoveredServer(layout: DemoLayout, { installation }: Production) {
  return createServer({ dataDir: layout.recovery.dataDirectory, installation })
}

function assertSucceeded({ runId, outcome }: FinishedRun): void {
  if (outcome.status === 'succeeded') return
  throw new HoldfastError('step-failed', {
    message: `the recovery ended as ${outcome.status}: ${outcome.failure?.error.message ?? outcome.findings.map(({ message }) => message).join('; ')}`,
    details: { runId, status: outcome.status },
  })
}

async function ledgerHead(catalog: Catalog, signal: AbortSignal): Promise<string> {
  await using repository = await openCatalogRepository(catalog, 'local', signal)
  const head = await openRepositoryLedger(repository, catalog).head(signal)
  if (head === undefined) throw new HoldfastError('internal', { message: 'the recovery left no record in the ledger' })
  return head.hash
}
