/** Stands before what belongs to the line above; nothing, not even a space, is between the two. */
export const continuationMark = '↪'
/** A space at the beginning of what is continued, where it could not be seen. */
export const spaceMark = '␣'

export interface CommandLine {
  readonly text: string
  readonly continued: boolean
}

/**
 * A line for a shell in parts of at most `columns` characters: before a space where one is near the end,
 * else behind a mark, else anywhere. Nothing is lost.
 */
export function wrapCommand(line: string, columns: number): CommandLine[] {
  const characters = Array.from(line.replaceAll('\t', '    '))
  const parts: CommandLine[] = []
  for (let start = 0; start < characters.length || parts.length === 0;) {
    const rest = characters.length - start
    const end = rest <= columns ? characters.length : placeToBreak(characters, start + columns / 2, start + columns)
    const text = characters.slice(start, end).join('')
    parts.push({ text: start === 0 ? text : text.replace(/^ /, spaceMark), continued: start > 0 })
    start = end
  }
  return parts
}

function placeToBreak(characters: readonly string[], least: number, most: number): number {
  const space = characters.lastIndexOf(' ', most)
  if (space > least) return space
  const mark = characters.slice(0, most).findLastIndex((character) => /[,;:|&=/]/.test(character))
  return mark + 1 > least ? mark + 1 : most
}
