import { resolveSecret, type Experiment, type SecretRef } from '../../catalog/index.ts'
import { commandCanary, sqlCanary, type CanaryTarget } from '../../chaos/index.ts'

/** Where the canary of an experiment writes; undefined for one without. */
export async function experimentCanary(
  { canary }: Pick<Experiment, 'canary'>,
  run: string,
  signal: AbortSignal,
): Promise<CanaryTarget | undefined> {
  if (canary === undefined) return undefined
  if (canary.kind === 'command') return commandCanary(canary, run)
  const text = async (url: string | SecretRef) => (typeof url === 'string' ? url : (await resolveSecret(url, signal)).reveal())
  return sqlCanary(canary, { url: await text(canary.url), readUrl: await text(canary.readUrl), run })
}
