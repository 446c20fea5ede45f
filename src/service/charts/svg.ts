/** Pieces of SVG as text. What stands between tags or in attributes is escaped here and nowhere else. */

export type Attributes = Readonly<Record<string, string | number | undefined>>

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(typeof value === 'number' ? Number(value.toFixed(2)) : value))}"`)
    .join('')
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`
}

export function textElement(text: string, attributes: Attributes): string {
  return element('text', attributes, escapeXml(text))
}

/** A whole picture: its title is read out by screen readers, and nothing in it is loaded from elsewhere. */
export function picture(width: number, height: number, title: string, children: readonly string[]): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
    width: Math.ceil(width),
    height: Math.ceil(height),
    role: 'img',
    'font-family': 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif',
  }
  return `${element('svg', attributes, element('title', {}, escapeXml(title)), ...children)}\n`
}

/** As XML 1.0 allows it: control characters, which it does not, become U+FFFD. */
export function escapeXml(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  )
}

/** Cut to what fits: fonts differ, so by a width that is on the safe side. */
export function fitting(text: string, width: number, fontSize: number): string {
  const letters = Math.floor(width / (fontSize * 0.58))
  const characters = Array.from(text)
  return characters.length <= letters ? text : `${characters.slice(0, Math.max(1, letters - 1)).join('')}…`
}
