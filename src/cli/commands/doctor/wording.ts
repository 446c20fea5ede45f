import { excuseOf, type Complaint } from '../../../service/index.ts'
import { groupText } from '../status/groups.ts'
import { chainText, findingText, maintenanceText, nextStep, reasonText } from '../status/wording.ts'
import { dueStates } from '../drill/wording.ts'

/** What is wrong, in one line. */
export function complaintText(complaint: Complaint): string {
  const excuse = excuseOf(complaint)
  return `${whatIsWrong(complaint)}${excuse ? `; it is ${maintenanceText(excuse)}` : ''}`
}

function whatIsWrong(complaint: Complaint): string {
  switch (complaint.code) {
    case 'nothing-declared':
      return 'the catalog names no service: there is nothing to recover, and nothing is known'
    case 'repository-unseen':
      return `${complaint.repository} cannot be looked into: ${complaint.because}`
    case 'run-interrupted':
      return `run ${complaint.runId} was interrupted, and lies half done`
    case 'objective': {
      const { report, objective } = complaint
      const status = report[objective]
      return `${report.service}: ${objective.toUpperCase()} is ${status.verdict}: ${reasonText(status)}`
    }
    case 'dependencies': {
      const { service, withDependencies: chain } = complaint.report
      return chain === undefined
        ? service
        : `${service}: RTO is ${chain.verdict} with all that it depends on: ${chainText(chain)}`
    }
    case 'group':
      return groupText(complaint.report)
    case 'evidence':
      return findingText(complaint.finding)
    case 'drill-due': {
      const { plan, kind, state } = complaint.drill
      return `the ${kind === 'live' ? 'gameday' : 'drill'} of ${plan} is due: ${dueStates[state]}`
    }
    case 'drill-finding': {
      const { id, message, owner, dueAt } = complaint.finding
      return `${complaint.overdue ? 'overdue' : 'open'} since a drill: ${message} (${id}, ${owner}, due ${dueAt.slice(0, 10)})`
    }
    case 'ledger-key': {
      const { repository, writer, named } = complaint
      const since = writer.first.toISOString().slice(0, 10)
      const which = named === 0 ? 'the catalog names no keys' : 'the catalog does not name it'
      return `evidence in ${repository} is signed by ${writer.key} on ${writer.host} since ${since}, and ${which}${named === 0 ? ': whoever has the password can sign too' : ': it does not count'}`
    }
    case 'weakness':
    default: {
      const [first, ...others] = complaint.warnings
      return `${first?.message ?? ''}${others.length === 0 ? '' : `, and ${others.length} more`} [${complaint.lint}]`
    }
  }
}

/** What to run, or to change. */
export function nextCommand(complaint: Complaint): string | undefined {
  switch (complaint.code) {
    case 'nothing-declared':
      return 'write what must survive under `services:`, or let `holdfast init` write a starter'
    case 'repository-unseen':
      return `see why; \`holdfast init\` makes it where it never was`
    case 'run-interrupted':
      return `\`holdfast run resume ${complaint.runId}\` goes on, \`holdfast run abort ${complaint.runId}\` takes it back`
    case 'objective':
      return nextStep(complaint.report, complaint.report[complaint.objective])
    case 'dependencies': {
      const [unknown] = complaint.report.withDependencies?.unknown ?? []
      return unknown === undefined ? undefined : `\`holdfast status ${unknown}\``
    }
    case 'drill-due': {
      const { plan, kind } = complaint.drill
      return `\`holdfast drill run ${plan}${kind === 'live' ? ' --live' : ''}\``
    }
    case 'drill-finding':
      return `\`holdfast drill findings --close ${complaint.finding.id} --why REASON\` when it is dealt with`
    case 'ledger-key':
      return `if it is one of yours, name it in the catalog: ledger: { keys: { ${complaint.writer.host}: ${complaint.writer.key} } }`
    case 'weakness':
      return `\`holdfast validate\` shows where; docs/lints.md#${complaint.lint}`
    case 'group':
      return complaint.report.worst === undefined ? undefined : `\`holdfast status ${complaint.report.worst}\``
    case 'evidence':
    default:
      return undefined
  }
}
