import pc from 'picocolors'
import { exitCodes } from '../../../kernel/index.ts'
import { sweepFaults } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

type Swept = Awaited<ReturnType<typeof sweepFaults>>[number]

export const chaosSweepCommand = command('sweep', 'take back every fault that an experiment has left on this machine', [
  ['holdfast chaos sweep', 'of the experiments of the catalog here; exit code 23 when something is left'],
]).action(async (_options, self) => {
  const { globals, print, signal } = contextOf(self)
  const swept = await sweepFaults(catalogPath(globals), signal)
  print.result({ swept }, () => (swept.length === 0 ? 'no fault is left' : swept.map(sweptText).join('\n')))
  const isLeft = swept.some(({ state }) => state === 'failed' || state === 'elsewhere')
  process.exitCode = isLeft ? exitCodes.cleanUpFailed : exitCodes.done
})

function sweptText(swept: Swept): string {
  const what = `${swept.kind} ${swept.id} of ${swept.experiment} on ${swept.targets.join(', ')}`
  switch (swept.state) {
    case 'cleared':
      return `${pc.green('taken back')} ${what}`
    case 'held':
      return `${pc.yellow('still held')} ${what}: its experiment runs`
    case 'elsewhere':
      return `${pc.red('elsewhere')} ${what}: it can only be taken back on ${swept.host}`
    default:
      return `${pc.red('left')} ${what}: ${swept.because}${swept.hint === undefined ? '' : `\n${pc.bold('HINT:')} ${swept.hint}`}`
  }
}
