import pc from 'picocolors'
import { printable, printableName } from '../../kernel/index.ts'

/** What picocolors begins and ends our colours with. */
const ours = new RegExp(String.raw`(${'\u001B'}\[(?:1|2|22|3[0-7]|39)m)`)

/**
 * A text that may name what others have named, such as the tags, paths and hosts of a repository: whatever else a terminal would obey is
 * shown, not sent. Our own colours stay, where there are any.
 */
export function forTerminal(text: string): string {
  return exceptColours(text, printable)
}

/** The same for what must stay on one line. */
export function forOneLine(text: string): string {
  return exceptColours(text, printableName)
}

function exceptColours(text: string, shown: (part: string) => string): string {
  if (!pc.isColorSupported) return shown(text)
  return text
    .split(ours)
    .map((part, index) => (index % 2 === 1 ? part : shown(part)))
    .join('')
}
