import { isMap } from '../python-values.ts'
import type { CtkControl } from '../types.ts'

export type KnownControl = 'safeguards' | 'bypass' | 'repeat'

const modules: Readonly<Record<string, KnownControl>> = {
  'chaosaddons.controls.safeguards': 'safeguards',
  'chaosaddons.controls.bypass': 'bypass',
  'chaosaddons.controls.repeat': 'repeat',
}

export function knownControl({ provider }: CtkControl): KnownControl | undefined {
  return modules[provider?.module ?? '']
}

/** Why a control cannot be taken. One that guards an experiment and is left out would leave it unguarded. */
export function controlProblem(control: CtkControl): string | undefined {
  const known = knownControl(control)
  if (known === undefined) {
    return `is the control ${control.provider?.module ?? control.name}, which is not known here (${Object.keys(modules).join(', ')} are)`
  }
  const given = control.provider.arguments
  if (known === 'safeguards' && (!Array.isArray(given?.probes) || given.probes.length === 0)) return 'guards by no probe'
  if (known === 'repeat' && given !== undefined && !isMap(given)) return 'has no repeat_count'
  return undefined
}
