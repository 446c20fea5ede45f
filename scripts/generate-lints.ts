import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lints } from '../src/catalog/lints/all.ts'

/** The guide that people write, and below it the list that this script writes. */
export const lintsFile = fileURLToPath(new URL('../docs/lints.md', import.meta.url))

const begin = '<!-- Everything below is made from the lints themselves: node scripts/generate-lints.ts -->'

/** The file as it should be. */
export function lintsText(current: string): string {
  const guide = current.split(begin)[0] ?? ''
  const sections = lints.map(({ code, title, why, mend }) =>
    [`## ${code}`, `${title[0]?.toUpperCase()}${title.slice(1)}.`, why, mend].join('\n\n'),
  )
  return `${guide.trimEnd()}\n\n${begin}\n\n${sections.join('\n\n')}\n`
}

if (import.meta.main) writeFileSync(lintsFile, lintsText(readFileSync(lintsFile, 'utf8')))
