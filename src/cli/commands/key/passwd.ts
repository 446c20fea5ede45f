import { shortId } from '../../../kernel/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { hostOption, keyOptions, newPassword, newPasswordOption, userOption } from './new-password.ts'

export const keyPasswdCommand = command('passwd', 'put another password in the place of the one given', [
  ['holdfast --repo /mnt/nas/holdfast key passwd --new-password-file new.txt', 'the old one opens nothing any more'],
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
    await using _lock = await repository.lock('exclusive', {}, signal)
    const removed = repository.keys.current
    const key = await repository.keys.changePassword(password, keyOptions(about), signal)
    print.result({ key, removed }, () =>
      [
        `key ${shortId(key)} opens ${repository.location}; key ${shortId(removed)} was removed`,
        'whoever had the old password and a copy of the old key can still read what they can reach',
      ].join('\n'),
    )
  })
