import { sweep, type Swept } from '../../chaos/index.ts'
import { faults } from '../../faults/index.ts'
import { chaosFolders } from './folders.ts'

/** Takes back the faults that experiments of the catalog at that path have left on this machine. The catalog itself need not be there. */
export async function sweepFaults(catalogPath: string, signal: AbortSignal): Promise<Swept[]> {
  return await sweep({ directory: chaosFolders(catalogPath).faults, faults }, signal)
}
