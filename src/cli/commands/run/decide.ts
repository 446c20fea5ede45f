import { Argument } from '@commander-js/extra-typings'
import { HoldfastError, userName, type Json } from '../../../kernel/index.ts'
import { decisions, type DecisionWord } from '../../../recovery/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { findRun, openRuns } from './open-runs.ts'

export const runDecideCommand = command('decide', 'say how it stands with a step whose outcome is unknown, or that failed', [
  ['holdfast run decide latest promote done --why "pg_is_in_recovery() says f"', 'you looked: it has happened'],
  ['holdfast run decide latest promote not-done --why "still a standby"', 'you looked: it has not; run it again'],
])
  .argument('<run>', 'its id, the beginning of it, or latest')
  .argument('<step>', 'the step that waits for a decision')
  .addArgument(new Argument('<decision>', 'done: go on. not-done: run it again. stop: end the run').choices(decisions))
  .requiredOption('--why <text>', 'what you saw, for the record')
  .option('--by <name>', 'who decides; without it, the user that runs this')
  .action(async (id, step, decision, { why, by = userName() }, self) => {
    const { globals, print } = contextOf(self)
    await using engine = openRuns(globals)
    const view = await findRun(engine, id)
    const waiting = view.waitingFor.map(({ name }) => name).filter((name) => name.startsWith('decide:'))
    const name = waiting.find((candidate) => candidate.startsWith(`decide:${step}:`))
    if (name === undefined) {
      throw new HoldfastError('usage', {
        message: `step ${step} of run ${view.runId} waits for no decision`,
        hint:
          waiting.length === 0 ? `\`holdfast run show ${view.runId}\` shows where it stands` : `waiting: ${waiting.join(', ')}`,
      })
    }
    const word: DecisionWord = { decision, by, why }
    await engine.signal(view.runId, name, word as Json)
    print.result({ run: view.runId, step, ...word }, () => {
      const next = view.state === 'interrupted' ? `; \`holdfast run resume ${view.runId}\` goes on with the run` : ''
      return `${step}: ${decision}, says ${by}${next}`
    })
  })
