/** Stands before what belongs to the line above; nothing, not even a space, is between the two. */
export const continuationMark = '↪'
/** A space at the beginning of what is continued, where it could not be seen. */
export const spaceMark = '␣'

export interface CommandLine {
  readonly text: string
  readonly continued: boolean
}

/**
 * A line for a shell in parts of at most `columns` columns: before a space where one is near the end, else behind a mark, else anywhere.
 * Nothing is lost. `cells` is how many columns a character takes.
 */
export function wrapCommand(line: string, columns: number, cells: (character: string) => number = () => 1): CommandLine[] {
  const characters = Array.from(line.replaceAll('\t', '    '))
  const parts: CommandLine[] = []
  for (let start = 0; start < characters.length || parts.length === 0;) {
    const most = placeOfLast(characters, start, columns, cells)
    const end = most === characters.length ? most : placeToBreak(characters, (start + most) / 2, most)
    const text = characters.slice(start, end).join('')
    parts.push({ text: start === 0 ? text : text.replace(/^ /, spaceMark), continued: start > 0 })
    start = end
  }
  return parts
}

/** Where a line is full; behind at least one character. */
function placeOfLast(
  characters: readonly string[],
  start: number,
  columns: number,
  cells: (character: string) => number,
): number {
  let used = 0
  for (let at = start; at < characters.length; at++) {
    used += cells(characters[at] ?? '')
    if (used > columns && at > start) return at
  }
  return characters.length
}

function placeToBreak(characters: readonly string[], least: number, most: number): number {
  const space = characters.lastIndexOf(' ', most)
  if (space > least) return space
  const mark = characters.slice(0, most).findLastIndex((character) => /[,;:|&=/]/.test(character))
  return mark + 1 > least ? mark + 1 : most
}
