import { dirname } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import type { ClusterEntry, SecretRef } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'

/**
 * Reads a kubeconfig and takes its context. Throws `secret-unavailable` when it is none, `not-found` without that context, and `usage` for what the
 * client would pass over: the request would be another user's.
 */
export function readKubeconfig(config: KubeConfig, text: string, entry: ClusterEntry): KubeConfig {
  const { kubeconfig, context, name } = entry
  try {
    config.loadFromString(text)
  } catch {
    // Its message may quote from the text.
  }
  if ((config.getClusters() ?? []).length === 0) {
    throw new HoldfastError('secret-unavailable', {
      message: `what is to be the kubeconfig of the cluster ${name} is none`,
      hint: `${placeOf(kubeconfig)} must give the kubeconfig itself, not the path of one`,
    })
  }
  if ('file' in kubeconfig) config.makePathsAbsolute(dirname(kubeconfig.file))
  if (context !== undefined) config.setCurrentContext(context)
  if (config.getCurrentCluster() === null || config.getCurrentUser() === null) {
    throw new HoldfastError('not-found', {
      message: `the kubeconfig of the cluster ${name} has no context ${config.getCurrentContext() ?? ''} with a cluster and a user`,
      hint: `its contexts are: ${config
        .getContexts()
        .map((one) => one.name)
        .join(', ')}`,
    })
  }
  const unknown = passedOver(text, config.getContextObject(config.getCurrentContext())?.user)
  if (unknown === undefined) return config
  throw new HoldfastError('usage', {
    message: `the kubeconfig of the cluster ${name} knows its user by '${unknown}', which Holdfast does not understand`,
    hint: 'use a token, a client certificate, or a command (`exec`); of impersonation only `as`',
  })
}

/** Ways to be a user that kubectl knows and the client does not. */
const passedOverKeys = ['tokenFile', 'as-uid', 'as-groups', 'as-user-extra'] as const

const usersOf = z.object({
  users: z.array(z.object({ name: z.string(), user: z.record(z.string(), z.unknown()).nullish() })).default([]),
})

function passedOver(text: string, name: string | undefined): string | undefined {
  const parsed = usersOf.safeParse(parseDocument(text).toJS())
  const user = parsed.success ? parsed.data.users.find((one) => one.name === name)?.user : undefined
  return passedOverKeys.find((key) => user?.[key] !== undefined)
}

/** Where it is, for people. */
export function placeOf(kubeconfig: SecretRef): string {
  if ('env' in kubeconfig) return `the environment variable ${kubeconfig.env}`
  return 'file' in kubeconfig ? kubeconfig.file : `the command ${kubeconfig.command[0]}`
}
