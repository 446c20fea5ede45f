import pc from 'picocolors'
import { exitCodes } from '../../../kernel/index.ts'
import { loadRunCatalog, mayLead, type MayLeadReport } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

export const mayLeadCommand = command(
  'may-lead',
  'whether a server on this machine may be started: an old primary that comes back may not',
  [
    ['holdfast postgres may-lead orders', 'exit code 0: no other server has led since. 1: one has, or nobody knows'],
    ['holdfast postgres may-lead orders --server west', 'another of its servers, on its own machine'],
    ['holdfast postgres may-lead orders --without west', 'west is gone for good, and a person says so'],
  ],
)
  .argument('<service>', 'a service of the catalog')
  .option('--server <name>', 'which of its servers; its data directory must be on this machine. Default: primary')
  .option('--without <name...>', 'servers that are gone for good, and are not asked')
  .addHelpText(
    'after',
    `
It only reads. A server whose power was cut to fence it has no mark of that: started as it is, it takes writes again. So let whatever starts it ask
first: with systemd, as ExecStartPre of its unit. A standby may always be started.`,
  )
  .action(async (service, { server, without }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const request = {
      catalog,
      service,
      ...(server === undefined ? {} : { server }),
      ...(without === undefined ? {} : { without }),
    }
    const report = await mayLead(request, signal)
    print.result(report, mayLeadText)
    if (!report.mayLead) process.exitCode = exitCodes.failed
  })

const words: Readonly<Record<MayLeadReport['others'][number]['says'], string>> = {
  behind: 'has seen no later leader',
  leads: 'takes writes',
  'led-since': 'is on a later timeline, or has led on the same one',
  'other-cluster': 'is of another cluster: look where its address leads',
  unseen: 'cannot be seen: nobody knows whether it leads',
  'left-out': 'was left out',
}

function mayLeadText({ service, server, mayLead: may, isStandby, timeline, others }: MayLeadReport): string {
  const whole = `${server} of ${service}`
  if (isStandby) return `${pc.green('✓')} ${whole} may be started: it is a standby`
  const lines = others.map(({ name, state, says }) => `  ${name} (${state}) ${words[says]}`)
  if (may) return [`${pc.green('✓')} ${whole} may be started as a primary, on timeline ${timeline}`, ...lines].join('\n')
  const isUnseen = others.every(({ says }) => says === 'unseen' || says === 'behind' || says === 'left-out')
  const next = isUnseen
    ? 'mend the way to it; if it is gone for good, say so with --without'
    : `bring it back as a standby: postgres.rewind, then postgres.follow; \`holdfast postgres divergence ${service} --of ${server}\` shows what it has and nobody else`
  return [
    `${pc.red('✗')} ${whole} may not be started as a primary, on timeline ${timeline}`,
    ...lines,
    `${pc.bold('next:')} ${next}`,
  ].join('\n')
}
