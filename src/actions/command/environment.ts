import { Credentials } from '../../catalog/index.ts'

import type { ActionContext, Attempt } from '../contract.ts'
import type { TextOrSecret } from '../param-types.ts'

export const keptOutputBytes = 64 * 1024

export interface Environment {
  readonly variables: Readonly<Record<string, string>>
  /** What a command prints may reach the journal and the screen; a secret that it was given must not. */
  readonly redact: (text: string) => string
}

/** The variables that a step gives its command, secrets revealed. */
export async function environmentOf(
  env: Readonly<Record<string, TextOrSecret>>,
  context: Pick<ActionContext, 'resolveSecret'>,
  signal: AbortSignal,
): Promise<Environment> {
  const credentials = new Credentials(context, signal)
  return { variables: await credentials.texts(env), redact: (text) => credentials.redact(text) }
}

/** What every command can rely on. */
export function aboutRun(context: ActionContext, attempt: Omit<Attempt, 'signal'>): Record<string, string> {
  return {
    HOLDFAST_RUN: context.runId,
    HOLDFAST_STEP: context.step,
    HOLDFAST_IDEMPOTENCY_KEY: attempt.idempotencyKey,
    HOLDFAST_ATTEMPT: String(attempt.attempt),
    HOLDFAST_FENCING_TOKEN: String(attempt.fencingToken),
  }
}

export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}
