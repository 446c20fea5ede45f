import { realpath } from 'node:fs/promises'
import { z } from 'zod'
import { absolutePath } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { asideFault, asideFindings, asideTrace, moveAside, traceFile, type AsideTrace } from './aside/place.ts'
import type { TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'

const params = z.strictObject({
  program: absolutePath.describe('The command as people and schedulers call it, such as /usr/local/bin/holdfast.'),
})

/** The command `holdfast` does not work on this machine. */
export const holdfastUnavailable = defineFault<{ program: string }, AsideTrace>({
  kind: 'holdfast.unavailable',
  description:
    'Puts a script in the place of the command `holdfast` that says who made it unavailable and how that ends, and exits with 127: to rehearse a recovery with restic and the printed runbook alone. Only this command on this machine: what runs already goes on, and who has the program elsewhere can use it. The command is moved aside under a name with the tag of the injection, and put back at the end. Until then the watchdog takes it back as ever; should everything be killed, `holdfast chaos sweep` is not there either, and the script says what to type.',
  example: { program: '/usr/local/bin/holdfast' },
  params,
  traces: asideTrace,
  expiry: 'never',
  preflight: ({ program }) => asideFindings(program),

  async plan({ program }, context) {
    const trace = await traceFile(program, script(program, context))
    if ((await realpath(program)) === (await realpath(process.execPath)))
      throw new HoldfastError('fault-refused', {
        message: `${program} is what takes the fault back, too: name the command holdfast`,
      })
    return { targets: [`the command ${program}`], traces: trace }
  },

  inject: async ({ program }, trace, context) => await moveAside(trace, context.id, script(program, context)),
  ...asideFault,
})

function script(program: string, { id, experiment }: TraceContext): Buffer {
  const [undo = ''] = asideFault.manualUndo({ file: program, inode: '' }, id)
  return Buffer.from(`#!/bin/sh
cat >&2 <<'END'
holdfast is unavailable: the experiment '${experiment}' wants it so (fault ${id})
To end that: ${undo}
END
exit 127
`)
}
