import { command } from '../../command.ts'
import { chaosRunCommand } from './run.ts'

export const chaosCommand = command('chaos', 'break things on purpose, and see whether what must hold does', [
  ['holdfast chaos run experiment.json', 'an experiment of Chaos Toolkit'],
]).addCommand(chaosRunCommand)
