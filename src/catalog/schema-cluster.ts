import { z } from 'zod'
import { secretRef, siteName, text } from './fields.ts'

/** A Kubernetes cluster that plans act on. */
export const cluster = z
  .strictObject({
    kubeconfig: secretRef.describe(
      'Where the kubeconfig is: a file, or what an environment variable or a command gives. It holds whatever kubectl takes: tokens, certificates, commands that get a token.',
    ),
    context: text.describe('The context of the kubeconfig. Default: its current one.').optional(),
    id: z
      .uuid()
      .meta({
        expected: 'the uid of the namespace kube-system',
        description:
          'Which cluster it is: the uid of its namespace kube-system (`kubectl get namespace kube-system -o jsonpath={.metadata.uid}`). Looked at before each change; another cluster is refused.',
        examples: ['8c2c2f9e-41c0-4b5e-9d53-6d3e4b8a1f00'],
      })
      .optional(),
    site: siteName.describe('The failure domain that it runs in.').optional(),
    description: text.describe('For people.').optional(),
  })
  .describe('A Kubernetes cluster.')
