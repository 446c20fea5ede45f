import pc from 'picocolors'
import { formatSize } from '../../../kernel/index.ts'
import {
  postgresStatus,
  type PostgresStatus,
  type ServerReport,
  type WalStatus,
  type WalTimelineReport,
} from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table, type Column } from '../../output/table.ts'

export const postgresStatusCommand = command(
  'status',
  'show what WAL is stored, whether the server is followed, and how far its standbys are behind',
  [
    ['holdfast postgres status orders-db', 'of a service of the catalog'],
    ['holdfast postgres status orders-db --json', 'for scripts: lag in bytes, and what would be lost by a failover now'],
  ],
)
  .argument('[service]', 'a service of the catalog')
  .option('--repository <name>', 'which of the catalog’s repositories; default: the first that the service is backed up to')
  .option('--url <url>', 'the server')
  .option('--slot <name>', 'the replication slot')
  .action(async (service, { repository, url, slot }, self) => {
    const { globals, print, signal } = contextOf(self)
    const status = await postgresStatus(
      {
        ...globals,
        ...(service === undefined ? {} : { service }),
        ...(repository === undefined ? {} : { repository }),
        ...(url === undefined ? {} : { url }),
        ...(slot === undefined ? {} : { slot }),
      },
      signal,
    )
    // What was there before standbys were stays where it was.
    print.result({ ...status.wal, servers: status.servers }, () => statusText(status))
  })

const timelineColumns: readonly Column<WalTimelineReport>[] = [
  { title: 'timeline', value: ({ timeline }) => String(timeline), align: 'right' },
  { title: 'from', value: ({ from }) => from },
  { title: 'to', value: ({ to }) => to },
  { title: 'WAL', value: ({ bytes }) => formatSize(bytes), align: 'right' },
  { title: 'objects', value: ({ objects }) => String(objects), align: 'right' },
  { title: 'complete until', value: ({ completeUntil }) => completeUntil ?? 'unknown' },
  {
    title: 'missing',
    value: ({ gaps }) => (gaps.length === 0 ? 'nothing' : gaps.map(({ from, to }) => `${from}–${to}`).join(', ')),
  },
]

const serverColumns: readonly Column<ServerReport>[] = [
  { title: 'server', value: ({ name }) => name },
  { title: 'site', value: ({ site }) => site },
  { title: 'state', value: ({ state, replay }) => (replay === 'paused' ? `${state}, replay paused` : state) },
  { title: 'timeline', value: ({ timeline }) => (timeline === undefined ? '' : String(timeline)), align: 'right' },
  { title: 'at', value: ({ lsn }) => lsn ?? '' },
  { title: 'sync', value: ({ syncState }) => syncState ?? '' },
  { title: 'lost if it took over now', value: ({ lag, wouldLose }) => (lag?.known === false ? 'unknown' : (wouldLose ?? '')) },
]

function statusText({ servers, wal }: PostgresStatus): string {
  const warnings = servers.flatMap(({ name, warnings }) =>
    warnings.map((warning) => `${pc.yellow('warning')} ${name}: ${warning}`),
  )
  return [
    ...(servers.length === 0 ? [] : [[table(serverColumns, servers), ...warnings].join('\n')]),
    ...(wal === undefined ? [] : [walText(wal)]),
  ].join('\n\n')
}

function walText({ server, archives }: WalStatus): string {
  const lines = [serverText(server)]
  for (const archive of archives) {
    lines.push('', `cluster ${archive.systemIdentifier}, ${formatSize(archive.storedBytes)} stored`)
    lines.push(table(timelineColumns, archive.timelines))
    for (const { timeline, abandoned } of archive.timelines) {
      if (abandoned)
        lines.push(
          `timeline ${timeline} was left at ${abandoned.from}; WAL up to ${abandoned.to} belongs to a primary that was given up`,
        )
    }
  }
  if (archives.length === 0) lines.push('', 'no WAL is stored in this repository')
  return lines.join('\n')
}

function serverText(server: WalStatus['server']): string {
  if (server.state === 'unreachable') return `slot ${server.slot}: the server cannot be asked: ${server.because}`
  const kept = server.keptBytes === undefined ? '' : `, the server keeps ${formatSize(server.keptBytes)} for it`
  const state = {
    streaming: 'the receiver is connected',
    unused: 'no receiver is connected',
    lost: 'the server has given it up: WAL is missing',
    missing: 'there is no such slot: the server keeps no WAL for a receiver',
  }[server.state]
  const hanging = server.synchronous && server.state !== 'streaming'
  const warning = hanging ? `\n${pc.red('COMMITS HANG')}: synchronous_standby_names names this receiver, and it does not run` : ''
  return `slot ${server.slot}: ${state}${kept}${warning}`
}
