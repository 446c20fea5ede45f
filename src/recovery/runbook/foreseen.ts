import type { Json } from '../../kernel/index.ts'

type Outputs = Readonly<Record<string, Readonly<Record<string, Json>>>>

const reference = /\$\{steps\.([A-Za-z0-9_/-]+)\.([A-Za-z0-9_-]+)\}/g

/** The parameters with the outputs filled in that are known before anything runs; the others stay references. */
export function fillInForeseen(params: Json, outputs: Outputs): Json {
  if (typeof params === 'string') {
    return params.replaceAll(reference, (whole: string, step: string, name: string) => {
      const value = Object.hasOwn(outputs, step) ? outputs[step]?.[name] : undefined
      return typeof value === 'string' ? value : whole
    })
  }
  if (Array.isArray(params)) return params.map((item: Json) => fillInForeseen(item, outputs))
  if (params === null || typeof params !== 'object') return params
  return Object.fromEntries(Object.entries<Json>(params).map(([key, member]) => [key, fillInForeseen(member, outputs)]))
}

/** The references that are left in lines of commands: `steps.start.url`, each once. */
export function outputsIn(lines: readonly string[]): string[] {
  return [...new Set(lines.flatMap((line) => [...line.matchAll(/\$\{(steps\.[^}]+)\}/g)].map(([, name]) => name ?? '')))]
}
