import { constants as osConstants } from 'node:os'
import { expandHome, isHoldfastError, programAt, runProcess, type Json } from '../../../kernel/index.ts'
import { pythonText, substitute } from '../substitute.ts'
import { ActivityFailed, type CtkProvider, type CtkVariables } from '../types.ts'

type ProcessProvider = Extract<CtkProvider, { type: 'process' }>

const keepBytes = 16 * 1024 * 1024

/** Where a program is that an activity names; undefined when there is none that may be run. */
export function findProgram(path: string): string | undefined {
  return programAt(expandHome(path))
}

/**
 * Runs a program to its end; any exit code is an output. Arguments that are one text are given to a shell, as Chaos Toolkit does it.
 * Throws ActivityFailed when it takes too long; then its children end too.
 */
export async function playProcess(provider: ProcessProvider, variables: CtkVariables, signal: AbortSignal): Promise<Json> {
  const program = findProgram(provider.path)
  if (program === undefined) throw new ActivityFailed(`there is no program ${provider.path} that may be run`)
  const given = substitute(provider.arguments ?? [], variables)
  const [command, args] =
    typeof given === 'string' ? ['/bin/sh', ['-c', `${program} ${given}`]] : ([program, argumentsOf(given)] as const)
  const timeout = provider.timeout === undefined ? {} : { timeoutMs: provider.timeout * 1000 }
  try {
    const { exitCode, signal: endedBy, stdout, stderr } = await runProcess(command, args, { keepBytes, ...timeout }, signal)
    // Python gives the number of the signal, negative.
    return { status: endedBy === undefined ? exitCode : -osConstants.signals[endedBy], stdout, stderr }
  } catch (error) {
    signal.throwIfAborted()
    if (isHoldfastError(error, 'timed-out')) throw new ActivityFailed('process activity took too long to complete')
    throw error
  }
}

function argumentsOf(given: Json): string[] {
  if (typeof given !== 'object' || given === null) return []
  const list: readonly Json[] = Array.isArray(given) ? given : Object.entries(given as Record<string, Json>).flat()
  return list.filter((each) => each !== null && each !== '').map(pythonText)
}
