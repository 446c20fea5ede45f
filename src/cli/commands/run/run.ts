import { command } from '../../command.ts'
import { runAbortCommand } from './abort.ts'
import { runApproveCommand } from './approve.ts'
import { runCommitCommand } from './commit.ts'
import { runDecideCommand } from './decide.ts'
import { runListCommand } from './list.ts'
import { runResumeCommand } from './resume.ts'
import { runShowCommand } from './show.ts'
import { runWatchCommand } from './watch.ts'

export const runCommand = command('run', 'recoveries in progress and past: look, approve, decide, commit, resume, abort', [
  ['holdfast run list', 'every run of this catalog'],
  ['holdfast run watch RUN', 'follow one as it goes'],
])
  .addCommand(runListCommand)
  .addCommand(runShowCommand)
  .addCommand(runWatchCommand)
  .addCommand(runApproveCommand)
  .addCommand(runDecideCommand)
  .addCommand(runCommitCommand)
  .addCommand(runResumeCommand)
  .addCommand(runAbortCommand)
