import { join } from 'node:path'
import { readRecords, type InjectedFault } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { runProcess } from '../../src/kernel/index.ts'

/**
 * Takes a fault back as people would whose Holdfast is gone: runs in sh what its record says of that. `path` is looked through for programs first.
 * Throws when a command fails.
 */
export async function undoByHand(folder: string, { id, kind }: InjectedFault, path = ''): Promise<void> {
  const found = (await readRecords(join(folder, 'faults'))).find(({ record }) => record.id === id)
  const commands =
    faults
      .find((fault) => fault.kind === kind)
      ?.recall(found?.record.traces)
      .manualUndo(id) ?? []
  if (commands.length === 0) throw new Error(`${kind} says nothing of how it is taken back by hand`)
  for (const command of commands) {
    const env = { ...process.env, PATH: `${path}:${process.env.PATH}` }
    const { exitCode, stderr } = await runProcess('sh', ['-c', command], { env })
    if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}: ${stderr}`)
  }
}
