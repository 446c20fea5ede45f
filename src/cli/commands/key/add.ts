import { shortId } from '../../../kernel/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { hostOption, keyOptions, newPassword, newPasswordOption, userOption } from './new-password.ts'

export const keyAddCommand = command('add', 'add a password that opens the repository too', [
  ['holdfast --repo /mnt/nas/holdfast key add --new-password-file second.txt', 'for another person, or the safe'],
])
  .addOption(newPasswordOption)
  .addOption(userOption)
  .addOption(hostOption)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ newPasswordFile, repository: name, ...about }, self) => {
    const { globals, print, signal } = contextOf(self)
    const password = await newPassword(newPasswordFile, signal)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = await repository.lock('shared', {}, signal)
    const key = await repository.keys.add(password, keyOptions(about), signal)
    print.result({ key }, () => `key ${shortId(key)} was added, and opens ${repository.location}`)
  })
