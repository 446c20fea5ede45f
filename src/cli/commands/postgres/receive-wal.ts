import { formatSize } from '../../../kernel/index.ts'
import { reportAlive, superviseReceiver, type ReceiverEvent } from '../../../postgres/index.ts'
import { runReception, type NotRecorded } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'

export const receiveWalCommand = command('receive-wal', 'store the write-ahead log of a PostgreSQL as it is written', [
  ['holdfast postgres receive-wal orders-db', 'of a service of the catalog'],
  ['holdfast --repo /mnt/nas postgres receive-wal --url postgresql://… --slot holdfast_orders', 'without a catalog'],
])
  .argument('[service]', 'a service of the catalog')
  .option('--repository <name>', 'which of the catalog’s repositories; default: the first that the service is backed up to')
  .option('--url <url>', 'the server; its user needs REPLICATION')
  .option('--slot <name>', 'the replication slot, made when missing; also the name for synchronous_standby_names')
  .addHelpText(
    'after',
    `
It runs until it is stopped (Ctrl-C or SIGTERM), connects again when the server comes back, and follows it over promotions.
It works in a process of its own, which is killed and started anew when it stalls.

For commits that wait until their WAL is stored: ALTER SYSTEM SET synchronous_standby_names = '"SLOT"'; SELECT pg_reload_conf();
Mind that commits then hang while it does not run.`,
  )
  .action(async (service, { repository, url, slot }, self) => {
    const { globals, print, signal } = contextOf(self)
    using alive = reportAlive()
    if (!alive) {
      const program = process.argv[1] ?? ''
      const status = await superviseReceiver(
        {
          command: [process.execPath, ...process.execArgv, program, ...process.argv.slice(2)],
          onRestart: (reason) => print.note(`the receiver ended: ${reason}; starting it again`),
        },
        signal,
      )
      process.exitCode = status
      return
    }
    const request = {
      ...globals,
      ...(service === undefined ? {} : { service }),
      ...(repository === undefined ? {} : { repository }),
      ...(url === undefined ? {} : { url }),
      ...(slot === undefined ? {} : { slot }),
    }
    await runReception(
      request,
      (event) => {
        if (event.type === 'wal-progress' || print.json) print.progress(event, () => eventText(event))
        else print.note(eventText(event))
      },
      AbortSignal.any([signal, alive.signal]),
    )
  })

function eventText(event: ReceiverEvent | NotRecorded): string {
  switch (event.type) {
    case 'wal-not-recorded':
      return `the ledger could not be written, receiving goes on: ${event.message}`
    case 'wal-connected':
      return `receiving WAL of cluster ${event.systemIdentifier} from ${event.startLsn} on timeline ${event.timeline}, slot ${event.slot}; stored up to ${event.durableLsn}`
    case 'wal-progress':
      return `stored up to ${event.durableLsn} on timeline ${event.timeline}, ${event.lagBytes === 0 ? 'nothing missing' : `${formatSize(event.lagBytes)} behind`}${event.completeUntil === undefined ? '' : `, complete until ${event.completeUntil}`}`
    case 'wal-slot-created':
      return `made the replication slot ${event.slot}: the server keeps WAL from ${event.restartLsn} on until it is stored`
    case 'wal-gap':
      return `WAL is missing from ${event.from} to ${event.to} on timeline ${event.timeline}: take a new base backup, recovery cannot pass this`
    case 'wal-damaged':
      return `what was stored from ${event.from} to ${event.to} on timeline ${event.timeline} could not be read: it was dropped, and the server sends it again. Check the repository's disk`
    case 'wal-diverged':
      return `the archive has WAL of timeline ${event.timeline} up to ${event.archivedTo}, but the server left it at ${event.forkLsn}: what lies between was written by a primary that was given up`
    case 'wal-timeline':
      return `the server was promoted: timeline ${event.from} ended at ${event.forkLsn}, following timeline ${event.to}`
    case 'wal-merge-failed':
      return `small pieces of WAL could not be joined, and stay as they are: ${event.message}`
    case 'wal-disconnected':
      return `${event.message}${event.hint === undefined ? '' : ` (${event.hint})`}; trying again in ${event.retryInMs} ms`
    default:
      return `stopped; stored up to ${event.durableLsn}`
  }
}
