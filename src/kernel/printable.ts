const unprintable = /[\p{Cc}\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]|\p{Cs}/gu

/**
 * A text with what cannot be printed made visible: control characters, and those that reorder or hide what stands around them, by which a
 * command could look like another, or a name could speak to a terminal. Lines and tabs stay.
 */
export function printable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(unprintable, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))
}

/** The same for a name, of which no end of a line may be part either. */
export function printableName(name: string): string {
  return name.replaceAll(unprintable, escaped)
}

/** A printable text on one line. */
export function onOneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ')
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
