import { Option } from '@commander-js/extra-typings'
import { HoldfastError, messageOf } from '../../../kernel/index.ts'
import { failedExitCode } from '../../../postgres/index.ts'
import { fetchWal } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'

export const fetchWalCommand = command('fetch-wal', 'fetch one file for PostgreSQL’s restore_command', [
  ['holdfast postgres fetch-wal --config FILE %f %p', 'what the restore_command of a recovery falls back to'],
])
  .argument('<name>', 'a WAL segment or history file')
  .argument('<destination>', 'where to put it')
  .requiredOption('--config <file>', 'where to fetch from: written when a recovery is prepared')
  .addOption(new Option('--absent-exit-code <code>', 'how to say that there is no such file').argParser(parseCode).default(1))
  .addHelpText(
    'after',
    `\nExit codes: 0 fetched, 1 the repository has no such file, ${failedExitCode} anything else, upon which PostgreSQL stops.`,
  )
  .action(async (name, destination, { config, absentExitCode }, self) => {
    const { print, signal } = contextOf(self)
    try {
      const found = await fetchWal({ config, name, destination }, signal)
      process.exitCode = found ? 0 : absentExitCode
    } catch (error) {
      const known = error instanceof HoldfastError ? error : new HoldfastError('internal', { message: messageOf(error) })
      print.error(known)
      process.exitCode = failedExitCode
    }
  })

function parseCode(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) > 0 && Number(text) < 126) return Number(text)
  throw new HoldfastError('usage', { message: `'${text}' is not an exit code from 1 to 125` })
}
