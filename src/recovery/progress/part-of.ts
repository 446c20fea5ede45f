export interface StepPart {
  readonly step: string
  readonly part: 'action' | 'check' | 'settle' | 'undo'
}

/** Which step of the plan, and what of it, a step of the engine is: `restore`, `restore#2:check`, `restore:undo`. */
export function partOf(name: string, steps: { has(id: string): boolean }): StepPart {
  if (steps.has(name)) return { step: name, part: 'action' }
  const found = /:(check|settle|undo)$/.exec(name)
  const rest = found === null ? name : name.slice(0, found.index)
  const part = (found?.[1] ?? 'action') as StepPart['part']
  return { step: steps.has(rest) ? rest : rest.replace(/#\d+$/, ''), part }
}
