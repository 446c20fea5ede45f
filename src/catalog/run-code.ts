import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { messageOf, sha256Hex } from '../kernel/index.ts'
import { defineCatalog } from './define-catalog.ts'
import type { Finding } from './finding.ts'
import { plainValue } from './plain-value.ts'
import type { YamlSource } from './yaml-source.ts'

/** What `holdfast/catalog` is to a catalog that this program runs: wherever the file stands, and whatever is installed there. */
const ownModule = `data:text/javascript,${encodeURIComponent(`export ${defineCatalog.toString()}`)}`

/**
 * Runs a catalog that is written as code, and gives what it exports by default, as a source: no different from YAML, but that places are not known. All of it
 * counts as standing where its default export does.
 */
export async function runCode(file: string, text: string): Promise<YamlSource> {
  const exported = await exportOf(file, text)
  if ('failed' in exported) return sourceOf(text, undefined, [exported.failed])
  if (exported.value === undefined || exported.value === null)
    return sourceOf(text, undefined, [
      { offset: 0, code: 'missing', message: 'it exports no catalog', hint: 'write `export default defineCatalog({ … })`' },
    ])
  const { value, findings } = plainValue(exported.value)
  const offset = placeOfExport(text)
  return sourceOf(
    text,
    value,
    findings.map((finding) => ({ ...finding, offset })),
  )
}

async function exportOf(file: string, text: string): Promise<{ readonly value: unknown } | { readonly failed: Finding }> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'holdfast/catalog' ? { url: ownModule, shortCircuit: true } : next(specifier, context),
  })
  try {
    // A module is run once in a process, unless its name differs.
    const module = (await import(`${pathToFileURL(file).href}?${sha256Hex(text).slice(0, 16)}`)) as { readonly default?: unknown }
    const catalog = module.default
    return { value: typeof catalog === 'function' ? await (catalog as () => unknown)() : catalog }
  } catch (error) {
    const message = messageOf(error).split('\n')[0] ?? ''
    return {
      failed: {
        code: 'code-failed',
        offset: offsetOfFailure(error, file, text),
        message: `it cannot be run: ${message}`,
        hint: 'only types are taken out before it is run: enums and namespaces cannot be used',
      },
    }
  } finally {
    hooks.deregister()
  }
}

/** Where it was thrown, if that is in the file itself. */
function offsetOfFailure(error: unknown, file: string, text: string): number {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const place = stack.slice(Math.max(0, stack.indexOf(file)))
  const [, line, column] = /^[^\s:]*:(\d+)(?::(\d+))?/.exec(place) ?? []
  if (!stack.includes(file) || line === undefined) return 0
  const before = text.split('\n').slice(0, Number(line) - 1)
  return before.reduce((sum, each) => sum + each.length + 1, 0) + Number(column ?? 1) - 1
}

function placeOfExport(text: string): number {
  return Math.max(0, text.search(/^export default\b/m))
}

function sourceOf(text: string, value: unknown, findings: readonly Finding[]): YamlSource {
  const offset = placeOfExport(text)
  return {
    value,
    findings,
    readable: findings.length === 0,
    keyOffset: () => offset,
    valueOffset: () => offset,
    written: () => undefined,
    lineColumn(at) {
      const lines = text.slice(0, at).split('\n')
      return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
    },
  }
}
