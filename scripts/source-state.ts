/** Whether `dist/` was made of the sources as they are: bin/holdfast.js asks it in a checkout, so it must be quick. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Within `dist/`: the state of the sources that it was made of. */
export const stateFile = `${root}dist/source-state`

/** Changes when a source, or a package that goes into `dist/`, is changed, added or taken away. Lower-case hex SHA-256. */
export function sourceState(): string {
  const hash = createHash('sha256')
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else if (!path.endsWith('.test.ts')) hash.update(`${path}\0${statSync(path).mtimeMs}\n`)
    }
  }
  visit(`${root}src`)
  hash.update(`${statSync(`${root}package-lock.json`).mtimeMs}`)
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
