import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/**
 * Where Holdfast keeps what belongs to this machine and not to a repository: runs, locks, remembered ledger heads. `.holdfast` beside the
 * catalog; without one, the user's own state directory (XDG_STATE_HOME, by default ~/.local/state).
 */
export function stateDirectory(catalogPath?: string): string {
  if (catalogPath !== undefined) return join(dirname(resolve(catalogPath)), '.holdfast')
  // An empty or relative value must be ignored, says the XDG base directory specification.
  const { XDG_STATE_HOME: home } = process.env
  return join(home?.startsWith('/') ? home : join(homedir(), '.local', 'state'), 'holdfast')
}
