import { isHoldfastError, messageOf } from '../kernel/index.ts'
import { createPool, workerEntry } from '../threads/index.ts'
import type { CodeCalls, ExportedValue } from './code-worker.ts'
import type { Finding } from './finding.ts'
import { maskMessage } from './plain-secrets.ts'
import type { YamlSource } from './yaml-source.ts'

/**
 * Runs a catalog that is written as code, and gives what it exports by default, as a source: no different from YAML, but that places are not known. All of it
 * counts as standing where its default export does. It runs in a thread of its own: however long it takes, an aborted signal ends it.
 */
export async function runCode(file: string, text: string, signal?: AbortSignal): Promise<YamlSource> {
  const exported = await exportOf(file, text, signal)
  if ('failed' in exported) {
    const { message, offset, onlyTypes } = exported.failed
    const hint =
      onlyTypes === true ? { hint: 'only types are taken out before it is run: enums and namespaces cannot be used' } : {}
    return sourceOf(text, undefined, [
      { code: 'code-failed', offset, message: `it cannot be run: ${maskMessage(message)}`, ...hint },
    ])
  }
  if (exported.value === undefined || exported.value === null)
    return sourceOf(text, undefined, [
      { offset: 0, code: 'missing', message: 'it exports no catalog', hint: 'write `export default defineCatalog({ … })`' },
    ])
  const offset = placeOfExport(text)
  return sourceOf(
    text,
    exported.value,
    exported.findings.map((finding) => ({ ...finding, offset })),
  )
}

async function exportOf(file: string, text: string, signal?: AbortSignal): Promise<ExportedValue> {
  signal?.throwIfAborted()
  await using pool = createPool<Record<string, never>, CodeCalls>({
    entry: workerEntry('code-worker', import.meta.url),
    size: 1,
    workerData: undefined,
    handlers: () => ({}),
  })
  const interrupted = Promise.withResolvers<never>()
  const onAbort = () => interrupted.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([pool.idlest().call('run', { file, text }), interrupted.promise])
  } catch (error) {
    signal?.throwIfAborted()
    // The thread is gone: by an error that nothing in the catalog waited for, or because it wanted to end the process.
    if (!isHoldfastError(error, 'internal')) throw error
    const message = error.cause === undefined ? 'it ends by itself, before it has exported anything' : messageOf(error.cause)
    return { failed: { message: message.split('\n')[0] ?? '', offset: 0 } }
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
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
