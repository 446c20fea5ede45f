import { z } from 'zod'
import { absolutePath } from '../catalog/index.ts'
import { asideFault, asideFindings, asideTrace, moveAside, traceFile, type AsideTrace } from './aside/place.ts'
import { defineFault } from './define-fault.ts'

const params = z.strictObject({
  file: absolutePath.describe('The file with the credential: a password, a token, a key, a kubeconfig.'),
})

/** A credential is not where it should be. */
export const credentialsMissing = defineFault<{ file: string }, AsideTrace>({
  kind: 'credentials.missing',
  description:
    'Moves a file with a credential aside, in its own folder, under a name with the tag of the injection: whoever reads it next finds none. What has read it already goes on. At the end it is put back as it was, with its content, mode and owner. A file that somebody has put in its place meanwhile is left there, and the fault does not count as taken back until somebody has chosen between the two.',
  example: { file: '/etc/holdfast/nas.password' },
  params,
  traces: asideTrace,
  expiry: 'never',
  preflight: ({ file }) => asideFindings(file),
  plan: async ({ file }) => ({ targets: [`the file ${file}`], traces: await traceFile(file) }),
  inject: (_params, trace, { id }) => moveAside(trace, id),
  ...asideFault,
})
