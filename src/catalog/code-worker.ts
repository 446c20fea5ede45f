import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { messageOf, systemCode } from '../kernel/index.ts'
import { serve } from '../threads/index.ts'
import { defineCatalog } from './define-catalog.ts'
import type { Finding } from './finding.ts'
import { plainValue } from './plain-value.ts'

/** What a catalog as code exports by default, or why it has nothing to export. */
export type ExportedValue =
  | { readonly value: unknown; readonly findings: readonly Omit<Finding, 'offset'>[] }
  | {
      readonly failed: {
        /** One line, as the code threw it: secrets may be in it. */
        readonly message: string
        /** Where it was thrown, if that is in the file itself; else 0. */
        readonly offset: number
        /** It holds TypeScript that is more than types. */
        readonly onlyTypes?: boolean
      }
    }

export interface CodeCalls {
  run: { input: { readonly file: string; readonly text: string }; output: ExportedValue }
}

/** What `holdfast/catalog` is to a catalog that this program runs: wherever the file stands, and whatever is installed there. */
const ownModule = `data:text/javascript,${encodeURIComponent(`export ${defineCatalog.toString()}`)}`

await serve<CodeCalls, Record<string, never>, undefined>(() => {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'holdfast/catalog' ? { url: ownModule, shortCircuit: true } : next(specifier, context),
  })
  return { run: ({ file, text }) => exportOf(file, text) }
})

async function exportOf(file: string, text: string): Promise<ExportedValue> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    const catalog = module.default
    return plainValue(typeof catalog === 'function' ? await (catalog as () => unknown)() : catalog)
  } catch (error) {
    const onlyTypes = systemCode(error) === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
    const message = messageOf(error).split('\n')[0] ?? ''
    return { failed: { message, offset: offsetOfFailure(error, file, text), ...(onlyTypes ? { onlyTypes } : {}) } }
  }
}

function offsetOfFailure(error: unknown, file: string, text: string): number {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const place = stack.slice(Math.max(0, stack.indexOf(file)))
  const [, line, column] = /^[^\s:]*:(\d+)(?::(\d+))?/.exec(place) ?? []
  if (!stack.includes(file) || line === undefined) return 0
  const before = text.split('\n').slice(0, Number(line) - 1)
  return before.reduce((sum, each) => sum + each.length + 1, 0) + Number(column ?? 1) - 1
}
