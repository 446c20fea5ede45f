import { stateDirectory } from '../../kernel/index.ts'
import { join } from 'node:path'

export interface ChaosFolders {
  /** Records of faults: one experiment at a time injects there. */
  readonly faults: string
  /** Of each run, all that was seen. */
  readonly runs: string
  /** A journal of what began and how it ended. */
  readonly history: string
  /** There while nothing may be broken. */
  readonly halt: string
}

/** Where the experiments of a catalog keep what belongs to this machine. */
export function chaosFolders(catalogPath: string): ChaosFolders {
  const chaos = join(stateDirectory(catalogPath), 'chaos')
  return {
    faults: join(chaos, 'faults'),
    runs: join(chaos, 'runs'),
    history: join(chaos, 'history.ndjson'),
    halt: join(chaos, 'halt.json'),
  }
}
