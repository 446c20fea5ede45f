import pc from 'picocolors'
import { formatDuration, shortId } from '../../kernel/index.ts'
import type { DemoEvent, DemoReport } from '../../service/index.ts'
import { table } from './table.ts'
import { counted } from './counted.ts'

const verdictStyles = { met: pc.green, missed: pc.red, unknown: pc.yellow } as const

/** One line for something that happened in a demo. */
export function demoEventText(event: DemoEvent): string {
  if (event.event === 'done') {
    const mark = event.phase === 'disaster' ? pc.red('✗') : pc.green('✓')
    return `${mark} ${event.text} ${pc.dim(`(${formatDuration(event.durationMs)})`)}`
  }
  return event.event === 'progress' ? `  ${event.text}` : `  ${event.phase} …`
}

/** What a demo ends with. */
export function demoReportText(report: DemoReport): string {
  const { rows, files, objectives, phases } = report
  const objectiveTable = table(
    [
      { title: 'service', value: ({ service }) => service },
      { title: 'objective', value: ({ objective }) => (objective === 'rpo' ? 'RPO, data lost' : 'RTO, time down') },
      { title: 'declared', value: ({ declaredMs }) => formatDuration(declaredMs), align: 'right' },
      {
        title: 'achieved',
        value: ({ actualMs }) => (actualMs === undefined ? 'nothing came back' : formatDuration(actualMs)),
        align: 'right',
      },
      { title: 'verdict', value: ({ verdict }) => verdictStyles[verdict](verdict) },
    ],
    objectives,
  )
  const dataTable = table(
    [
      { title: 'data', value: ({ name }) => name },
      { title: 'before', value: ({ before }) => String(before), align: 'right' },
      { title: 'recovered', value: ({ recovered }) => String(recovered), align: 'right' },
      { title: 'lost', value: ({ lost }) => (lost > 0 ? pc.red(String(lost)) : String(lost)), align: 'right' },
    ],
    [
      { name: 'acknowledged rows', before: rows.acknowledged, recovered: rows.recovered, lost: rows.lost },
      { name: 'files', before: files.expected, recovered: files.recovered, lost: files.lost.length },
    ],
  )
  return [
    '',
    objectiveTable,
    '',
    dataTable,
    ...dataRemarks(report),
    '',
    timeText(phases),
    '',
    `${pc.bold('verdict')}  ${verdictStyles[report.verdict](report.verdict)}   ${pc.dim(`PostgreSQL ${report.postgres}; ledger head ${shortId(report.ledgerHead)}`)}`,
    '',
    pc.bold('look closer'),
    ...lookCloser(report).map((line) => `  ${line}`),
    '',
    pc.dim(
      report.kept
        ? `Everything is in ${report.directory}.`
        : `The repository stays in ${report.directory}; remove it with rm -r. --keep DIR keeps the recovered data too.`,
    ),
  ].join('\n')
}

function dataRemarks({ rows, synchronous }: DemoReport): string[] {
  const remarks = synchronous
    ? ['commits waited for the WAL receiver, so nothing acknowledged can be lost']
    : ['commits did not wait for the WAL receiver: what was acknowledged in its last moments may be lost']
  if (rows.damaged > 0) remarks.push(pc.red(`${counted(rows.damaged, 'row')} came back with another content`))
  if (rows.unacknowledged > 0) remarks.push(`${counted(rows.unacknowledged, 'row')} whose commit was in flight came back too`)
  return remarks.map((remark) => pc.dim(remark))
}

/** Where the time went; with colours, which tell the phases apart, as a bar too: each phase as wide as its part. */
function timeText(phases: DemoReport['phases']): string {
  const parts = (
    [
      ['detect', phases.detectMs, pc.yellow],
      ['prepare', phases.prepareMs, pc.dim],
      ['restore', phases.restoreMs, pc.cyan],
      ['replay', phases.replayMs, pc.green],
      ['verify', phases.verifyMs, pc.bold],
      ['other', phases.otherMs, pc.dim],
    ] as const
  ).filter(([, ms]) => ms > 0)
  const total = parts.reduce((sum, [, ms]) => sum + ms, 0)
  const width = 48
  const bar = parts.map(([, ms, style]) => style('█'.repeat(Math.max(1, Math.round((ms / total) * width))))).join('')
  const legend = parts.map(([name, ms, style]) => `${style(name)} ${formatDuration(ms)}`).join('   ')
  return [pc.bold('where the time went'), ...(pc.isColorSupported ? [bar] : []), legend].join('\n')
}

/** npx runs this program under a name that the shell does not have. `npm_command`, which says so too, is gone by now: bin/holdfast.js. */
export function typedName(env: NodeJS.ProcessEnv = process.env): string {
  return env.npm_lifecycle_event === 'npx' ? 'npx holdfast' : 'holdfast'
}

function lookCloser({ directory }: DemoReport): string[] {
  const program = typedName()
  return [
    `demo=${directory}`,
    ...['snapshots', 'ledger show', 'ledger verify', 'run show latest', 'drill run orders-db', 'status'].map(
      (command) => `${program} --catalog $demo/holdfast.yaml ${command}`,
    ),
    `restic -r $demo/repository --password-file $demo/password check --read-data`,
    pc.dim('protection ended with the demo, so `status` will say that the RPO is missed: that is the truth by now'),
  ]
}
