import { HoldfastError, userName } from '../../../kernel/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { checkApproval } from '../../../service/index.ts'
import { findRun, openRuns } from './open-runs.ts'

export const runApproveCommand = command('approve', 'approve or deny the step of a run that asks for it', [
  ['holdfast run approve latest', 'approve the step that waits'],
  ['holdfast run approve latest cut-over --deny --comment "not during business hours"', 'refuse it: the run undoes what it did'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .argument('[step]', 'which step, when several wait')
  .option('--deny', 'refuse it')
  .option('--comment <text>', 'why, for the record')
  .option('--by <name>', 'who approves; without it, the user that runs this')
  .action(async (id, step, { deny, comment, by = userName() }, self) => {
    const { globals, print } = contextOf(self)
    await using engine = openRuns(globals)
    const view = await findRun(engine, id)
    const waiting = view.waitingFor.map(({ name }) => name).filter((name) => name.startsWith('approve:'))
    const matching =
      step === undefined ? waiting : waiting.filter((name) => name === `approve:${step}` || name.startsWith(`approve:${step}#`))
    const [name, ...others] = matching
    if (name === undefined || others.length > 0) {
      throw new HoldfastError('usage', {
        message:
          name === undefined ? `no step of run ${view.runId} waits for this approval` : 'several steps wait for an approval',
        hint:
          waiting.length === 0 ? `\`holdfast run show ${view.runId}\` shows where it stands` : `waiting: ${waiting.join(', ')}`,
      })
    }
    const decision = deny === true ? 'denied' : 'approved'
    const approval = { decision, by, planHash: view.planHash, ...(comment === undefined ? {} : { comment }) } as const
    // Refused here, a wrong approver costs the run nothing.
    checkApproval(view, name, approval)
    await engine.signal(view.runId, name, approval)
    print.result(
      { run: view.runId, step: name.slice('approve:'.length), ...approval },
      () => `${name.slice('approve:'.length)} ${decision} by ${by}`,
    )
  })
