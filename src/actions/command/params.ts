import { z } from 'zod'
import { commandLine, textOrSecret } from '../param-types.ts'

/** What an action that runs a command of the plan's has, wherever it runs. */
export const commandParams = {
  run: commandLine.describe('A line for sh, or a program with its arguments. Exit code 0 means that it is done.'),
  probe: commandLine.describe('Reads whether it is done. Exit code 0: done. 1: not done. Anything else: unknown.').optional(),
  undo: commandLine
    .describe('Takes it back; doing that twice must be fine. HOLDFAST_OUTPUT has the step’s output as JSON.')
    .optional(),
  idempotent: z.boolean().describe('Running it again after an interruption does no harm.').default(false),
  effect: z
    .enum(['read-only', 'reversible', 'point-of-no-return'])
    .describe('A read-only command is a check. After a point of no return nothing is undone.')
    .default('reversible'),
  cwd: z.string().describe('The folder it runs in.').optional(),
  env: z
    .record(z.string(), textOrSecret)
    .describe(
      'Environment variables: texts, outputs of steps, secrets. HOLDFAST_RUN, _STEP, _ATTEMPT, _IDEMPOTENCY_KEY and _FENCING_TOKEN are there too.',
    )
    .default({}),
  capture: z
    .boolean()
    .describe('Keeps what it prints as the output `stdout`: it is then in the journal, so it must not be secret.')
    .default(false),
}

const params = z.strictObject(commandParams)

export type CommandParams = z.infer<typeof params>
