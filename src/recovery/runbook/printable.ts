/**
 * A text with what cannot be printed made visible: control characters, and those that reorder or hide what stands around them, by which a
 * command could look like another. Lines and tabs stay.
 */
export function printable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\p{Cc}\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]|\p{Cs}/gu, (character) =>
      character === '\n' || character === '\t' ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    )
}

/** The same on one line. */
export function onOneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ')
}
