import { formatDuration } from '../../../kernel/index.ts'
import { outcomeOf } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { endedText } from './ended.ts'
import { findRun, openRuns } from './open-runs.ts'
import { summarize } from './summary.ts'
import { eventText, stateText, timeText } from './wording.ts'

export const runShowCommand = command('show', 'show one run: its steps, what it waits for, how it ended', [
  ['holdfast run show latest', 'the newest run'],
  ['holdfast run show orders-failover-2026 --json', 'all that is recorded, for programs'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .action(async (id, _options, self) => {
    const { globals, print } = contextOf(self)
    await using engine = openRuns(globals)
    const view = await findRun(engine, id)
    const summary = summarize(view)
    const outcome = view.result?.state === 'completed' ? outcomeOf(view) : undefined
    const events = outcome === undefined || print.json ? await Array.fromAsync(engine.history(view.runId)) : []
    print.result({ ...summary, ...(outcome === undefined ? {} : { result: outcome }), events }, () => {
      const head = [
        `run    ${summary.id}`,
        `plan   ${summary.plan} (${summary.planHash.slice(0, 12)}), recovers ${summary.recovers.join(', ') || 'nothing by name'}`,
        `began  ${timeText(summary.submittedAt)} by ${summary.requestedBy}`,
        `state  ${stateText(summary)}`,
        ...view.waitingFor.map(
          ({ name, untilMs }) =>
            `waits  for ${name}${untilMs === undefined ? '' : `, ${formatDuration(Math.max(0, untilMs - Date.now()))} more`}`,
        ),
      ].join('\n')
      const body = outcome === undefined ? events.flatMap((event) => eventText(event) ?? []).join('\n') : endedText(view, outcome)
      return `${head}\n\n${body}`
    })
  })
