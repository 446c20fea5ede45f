import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { absolutePath } from '../catalog/index.ts'
import { blocker, HoldfastError, messageOf } from '../kernel/index.ts'
import { asideFault, asideFindings, asideTrace, moveAside, traceFile, type AsideTrace } from './aside/place.ts'
import { defineFault } from './define-fault.ts'

const params = z.strictObject({
  file: absolutePath.describe('The file with the credential.'),
  by: absolutePath
    .describe(
      'A file with the credential that takes its place: one that has expired, or was revoked. Default: a text that is none.',
    )
    .optional(),
})

interface Params {
  readonly file: string
  readonly by?: string | undefined
}

/** A credential is there, and is not accepted. */
export const credentialsExpired = defineFault<Params, AsideTrace>({
  kind: 'credentials.expired',
  description:
    'Replaces a file with a credential by one that is not accepted any more, of the same mode and owner: one that has expired or was revoked, where you have kept such a one, else a text that is no credential. The right one waits beside it under a name with the tag of the injection, and is put back at the end as it was, if what stands in its place is still what the fault has put there: a file that somebody has renewed meanwhile is not overwritten.',
  example: { file: '/etc/holdfast/aws.token', by: '/srv/chaos/expired.token' },
  params,
  traces: asideTrace,
  expiry: 'never',

  async preflight({ file, by }) {
    const found = await asideFindings(file)
    if (found.length > 0 || by === undefined) return found
    try {
      await readFile(by)
      return []
    } catch (error) {
      const message = `${by} cannot be read, which is to take the place of ${file}: ${messageOf(error)}`
      return [blocker('no-replacement', message, 'name a file that this user may read in `by`, or leave it out')]
    }
  },

  async plan(p, { id }) {
    const instead = await replacement(p, id)
    if (instead.equals(await readFile(p.file)))
      throw new HoldfastError('fault-refused', { message: `${p.by} is the same as ${p.file}: nothing would be wrong` })
    return { targets: [`the file ${p.file}`], traces: await traceFile(p.file, instead) }
  },

  inject: async (p, trace, { id }) => await moveAside(trace, id, await replacement(p, id)),
  ...asideFault,
})

async function replacement({ by }: Params, id: string): Promise<Buffer> {
  return by === undefined ? Buffer.from(`holdfast-fault-${id}\n`) : await readFile(by)
}
