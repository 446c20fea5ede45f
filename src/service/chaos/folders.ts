import { join } from 'node:path'
import { stateDirectory } from '../state-directory.ts'

/** Where the experiments of a catalog keep what belongs to this machine. */
export function chaosFolders(catalogPath: string): { readonly faults: string } {
  const chaos = join(stateDirectory(catalogPath), 'chaos')
  return { faults: join(chaos, 'faults') }
}
