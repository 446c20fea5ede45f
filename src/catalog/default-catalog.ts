import { existsSync } from 'node:fs'
import { HoldfastError } from '../kernel/index.ts'
import { distrustOf } from './code-trust.ts'

export const catalogFileName = 'holdfast.yaml'
export const catalogCodeName = 'holdfast.config.ts'

/**
 * The catalog of the folder that a command is run in, where none is named: `holdfast.yaml`, also where there is none yet, or `holdfast.config.ts`. That one is code,
 * which nobody has asked for by name: it is refused when somebody else could have written it. Throws `usage` for that, and when both are there.
 */
export function defaultCatalog(): string {
  if (!existsSync(catalogCodeName)) return catalogFileName
  if (existsSync(catalogFileName))
    throw new HoldfastError('usage', {
      message: `both ${catalogFileName} and ${catalogCodeName} are here`,
      hint: 'remove one of them, or name the one that counts with --catalog',
    })
  const why = distrustOf(catalogCodeName)
  if (why === undefined) return catalogCodeName
  throw new HoldfastError('usage', {
    message: `${catalogCodeName} ${why}, and it is code that would be run`,
    hint: `look at it, then take the rights from others (chmod go-w), or let \`--catalog ${catalogCodeName}\` run it all the same`,
  })
}

/** Whether there is a catalog in this folder. */
export function isCatalogHere(): boolean {
  return existsSync(catalogFileName) || existsSync(catalogCodeName)
}
