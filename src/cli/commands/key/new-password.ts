import { Option } from '@commander-js/extra-typings'
import { HoldfastError } from '../../../kernel/index.ts'
import { readPassword } from '../../../service/index.ts'

export const newPasswordOption = new Option('--new-password-file <file>', 'the file that holds the new password').env(
  'HOLDFAST_NEW_PASSWORD_FILE',
)
export const userOption = new Option('--user <name>', 'whose key it is said to be (default: the current user)')
export const hostOption = new Option('--host <name>', 'where it is said to be from (default: this machine)')

/** From a file, or HOLDFAST_NEW_PASSWORD. Throws `usage` when neither is given. */
export async function newPassword(file: string | undefined, signal: AbortSignal): Promise<string> {
  const given = await readPassword(file, 'HOLDFAST_NEW_PASSWORD', signal)
  if (given !== undefined) return given
  throw new HoldfastError('usage', {
    message: 'no new password is given',
    hint: 'give --new-password-file FILE, or set HOLDFAST_NEW_PASSWORD',
  })
}

export function keyOptions({ user, host }: { readonly user?: string; readonly host?: string }) {
  return { ...(user !== undefined && { user }), ...(host !== undefined && { host }) }
}
