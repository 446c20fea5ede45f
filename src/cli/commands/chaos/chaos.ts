import { command } from '../../command.ts'
import { chaosGenerateCommand } from './generate.ts'
import { chaosHaltCommand } from './halt.ts'
import { chaosHistoryCommand } from './history.ts'
import { chaosListCommand } from './list.ts'
import { chaosPlanCommand } from './plan.ts'
import { chaosProxyCommand } from './proxy.ts'
import { chaosRunCommand } from './run.ts'
import { chaosSweepCommand } from './sweep.ts'

export const chaosCommand = command('chaos', 'break things on purpose, and see whether what must hold does', [
  ['holdfast chaos plan freeze-orders', 'what an experiment of the catalog would hit, and whether it may'],
  ['holdfast chaos run freeze-orders', 'run it'],
  ['holdfast chaos run experiment.json', 'an experiment of Chaos Toolkit'],
  ['holdfast chaos halt', 'stop all of them'],
])
  .addCommand(chaosRunCommand)
  .addCommand(chaosPlanCommand)
  .addCommand(chaosListCommand)
  .addCommand(chaosHistoryCommand)
  .addCommand(chaosGenerateCommand)
  .addCommand(chaosHaltCommand)
  .addCommand(chaosSweepCommand)
  .addCommand(chaosProxyCommand)
