/** Whether `dist/` was made of the sources as they are: bin/holdfast.js asks it in a checkout, so it must be quick. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Within `dist/`: the state of the sources that it was made of. */
export const stateFile = `${root}dist/source-state`

/** Changes when a source, how `dist/` is made of it, or a package that goes into it, is changed, added or taken away. Lower-case hex SHA-256. */
export function sourceState(): string {
  const hash = createHash('sha256')
  const add = (path: string) => {
    const { mtimeMs, size } = statSync(path)
    hash.update(`${path}\0${mtimeMs} ${size}\n`)
  }
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else if (!path.endsWith('.test.ts')) add(path)
    }
  }
  visit(`${root}src`)
  for (const name of ['package-lock.json', 'scripts/bundle.ts']) add(`${root}${name}`)
  return hash.digest('hex')
}

export function isBundleFresh(): boolean {
  try {
    return readFileSync(stateFile, 'utf8') === sourceState()
  } catch {
    // There is none, or sources are being changed just now.
    return false
  }
}
