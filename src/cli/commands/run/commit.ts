import { commitSignals, type CommitWord } from '../../../actions/index.ts'
import { HoldfastError, userName, type Json } from '../../../kernel/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { findRun, openRuns } from './open-runs.ts'

export const runCommitCommand = command('commit', 'say that what was recovered stays, while its commit window is open', [
  ['holdfast run commit latest', 'it was tried and it works: it stays, nothing is undone from here on'],
  ['holdfast run commit latest --undo --comment "orders are wrong"', 'take everything back'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .option('--undo', 'take back everything that the run did')
  .option('--comment <text>', 'why, for the record')
  .option('--by <name>', 'who decides; without it, the user that runs this')
  .action(async (id, { undo, comment, by = userName() }, self) => {
    const { globals, print } = contextOf(self)
    await using engine = openRuns(globals)
    const view = await findRun(engine, id)
    const names = view.waitingFor.map(({ name }) => name)
    const name = names.find((candidate) => commitSignals.some((signal) => candidate.startsWith(`${signal}:`)))
    if (name === undefined) {
      throw new HoldfastError('usage', {
        message: `run ${view.runId} has no open commit window`,
        hint: names.length === 0 ? `\`holdfast run show ${view.runId}\` shows where it stands` : `waiting: ${names.join(', ')}`,
      })
    }
    const word: CommitWord = {
      decision: undo === true ? 'undo' : 'commit',
      by,
      ...(comment === undefined ? {} : { comment }),
    }
    await engine.signal(view.runId, name, word as Json)
    print.result({ run: view.runId, ...word }, () => {
      const next = view.state === 'interrupted' ? `; \`holdfast run resume ${view.runId}\` goes on with the run` : ''
      return `${undo === true ? 'everything is taken back' : 'it stays'}, says ${by}${next}`
    })
  })
