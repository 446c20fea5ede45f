import { userName } from '../../../kernel/index.ts'
import { haltChaos, liftHalt } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

export const chaosHaltCommand = command('halt', 'stop every experiment on this machine, and let none begin', [
  ['holdfast chaos halt --reason "real incident"', 'what runs is ended and cleaned up at its next look'],
  ['holdfast chaos halt --lift', 'experiments may begin again'],
])
  .option('--reason <text>', 'why, for those who find it')
  .option('--lift', 'end it')
  .action(async ({ reason, lift }, self) => {
    const { globals, print } = contextOf(self)
    if (lift === true) {
      const lifted = await liftHalt(catalogPath(globals))
      print.result({ halted: false, lifted }, () => (lifted ? 'experiments may begin again' : 'nothing was halted'))
      return
    }
    const halt = await haltChaos(catalogPath(globals), { by: userName(), why: reason ?? 'no reason was given' })
    print.result(
      { halted: true, ...halt },
      () => 'halted: what runs ends at its next look, and nothing begins until `holdfast chaos halt --lift`',
    )
  })
