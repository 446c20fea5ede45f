import { dirname, join, resolve } from 'node:path'
import { homeFolder } from './current-user.ts'

/**
 * Where Holdfast keeps what belongs to this machine and not to a repository: runs, locks, remembered ledger heads. `.holdfast` beside the
 * catalog; without one, the user's own state directory (XDG_STATE_HOME, by default ~/.local/state). HOLDFAST_STATE_DIR overrides both.
 */
export function stateDirectory(catalogPath?: string): string {
  const { HOLDFAST_STATE_DIR: chosen } = process.env
  if (chosen !== undefined && chosen !== '') return resolve(chosen)
  if (catalogPath !== undefined) return join(dirname(resolve(catalogPath)), '.holdfast')
  // An empty or relative value must be ignored, says the XDG base directory specification.
  const { XDG_STATE_HOME: home } = process.env
  return join(home?.startsWith('/') ? home : join(homeFolder(), '.local', 'state'), 'holdfast')
}
