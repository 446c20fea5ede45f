import { command } from '../../command.ts'
import { chaosRunCommand } from './run.ts'
import { chaosSweepCommand } from './sweep.ts'

export const chaosCommand = command('chaos', 'break things on purpose, and see whether what must hold does', [
  ['holdfast chaos run experiment.json', 'an experiment of Chaos Toolkit'],
  ['holdfast chaos sweep', 'take back what an experiment has left'],
])
  .addCommand(chaosRunCommand)
  .addCommand(chaosSweepCommand)
