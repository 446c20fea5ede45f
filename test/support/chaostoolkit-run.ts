import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Json } from '../../src/kernel/index.ts'

/** The real program. Its options come before the file. */
export async function chaos(environment: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [file = '', ...options] = args.slice(0, -1)
  const all = ['-m', 'chaostoolkit', '--no-version-check', 'run', '--journal-path', args.at(-1) ?? '', ...options, file]
  const child = spawn(join(environment, 'bin/python'), all, { env, cwd: join(file, '..'), stdio: 'ignore' })
  const [exitCode] = (await once(child, 'close')) as [number]
  return exitCode
}

const varying: ReadonlySet<string> = new Set(['chaoslib-version', 'platform', 'node', 'start', 'end', 'duration'])

function isJsonMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCopy(activity: Json): boolean {
  return isJsonMap(activity) && 'iteration_index' in activity
}

/** Without what differs from run to run, of which only the kind is kept; of an exception, its last line. */
export function comparable(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => comparable(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'secrets' || !('path' in value))
      .map(([key, member]): [string, Json] => {
        if (varying.has(key)) return [key, typeof member]
        // What their library leaves in an experiment: copies of what is repeated, the output that a tolerance was given, and secrets.
        if (key === 'method' && Array.isArray(member)) return [key, comparable(member.filter((each: Json) => !isCopy(each)))]
        if (key === 'arguments' && isJsonMap(member) && isJsonMap(member.value)) {
          const { value: _, ...others } = member
          return [key, comparable(others)]
        }
        if (key === 'exception' && Array.isArray(member)) return [key, String(member.at(-1)).split(': ').slice(0, 2).join(': ')]
        return [key, comparable(member)]
      }),
  )
}
