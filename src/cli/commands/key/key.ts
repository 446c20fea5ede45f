import { command } from '../../command.ts'
import { keyAddCommand } from './add.ts'
import { keyListCommand } from './list.ts'
import { keyPasswdCommand } from './passwd.ts'
import { keyRemoveCommand } from './remove.ts'

export const keyCommand = command('key', 'the passwords of a repository', [
  ['holdfast --repo /mnt/nas/holdfast key list', 'which there are'],
  ['holdfast --repo /mnt/nas/holdfast key passwd --new-password-file new.txt', 'another one instead of the one given'],
])
  .addCommand(keyListCommand)
  .addCommand(keyAddCommand)
  .addCommand(keyPasswdCommand)
  .addCommand(keyRemoveCommand)
