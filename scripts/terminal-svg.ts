/**
 * Draws what a command printed as an SVG picture: `FORCE_COLOR=1 npx holdfast demo 2>/dev/null | node scripts/terminal-svg.ts > docs/images/demo.svg`.
 * Understands the colours and weights that Holdfast prints, nothing more.
 */
import { text } from 'node:stream/consumers'

const colours: Record<string, string> = { 31: '#f47067', 32: '#57ab5a', 33: '#c69026', 36: '#39c5cf', 90: '#768390' }
const cell = { width: 8.4, height: 19 }
const margin = 18
const escapeCharacter = '\u001B'
const styleSequence = new RegExp(`(${escapeCharacter}\\[[\\d;]*m)`)

interface Run {
  readonly column: number
  readonly text: string
  readonly style: string
}

/** The styled pieces of one line, each with the column it starts in. */
function runsOf(line: string): Run[] {
  const runs: Run[] = []
  let column = 0
  let bold = false
  let dim = false
  let colour: string | undefined
  for (const piece of line.split(styleSequence)) {
    if (piece.startsWith(escapeCharacter)) {
      for (const code of piece.slice(2, -1).split(';')) {
        if (code === '' || code === '0') [bold, dim, colour] = [false, false, undefined]
        else if (code === '1') bold = true
        else if (code === '2') dim = true
        else if (code === '22') [bold, dim] = [false, false]
        else if (code === '39') colour = undefined
        else colour = colours[code] ?? colour
      }
    } else if (piece !== '') {
      const style = `fill="${dim ? '#768390' : (colour ?? '#cdd9e5')}"${bold ? ' font-weight="bold"' : ''}`
      runs.push({ column, text: piece, style })
      column += Array.from(piece).length
    }
  }
  return runs
}

/** Spaces become unbreakable: viewers differ in whether they keep a run of plain ones. */
function escape(value: string): string {
  return value.replaceAll(' ', '\u00A0').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const lines = (await text(process.stdin)).trimEnd().split('\n').map(runsOf)
const columns = Math.max(...lines.flat().map((run) => run.column + Array.from(run.text).length))
const width = Math.ceil(columns * cell.width + 2 * margin)
const height = lines.length * cell.height + 2 * margin
const body = lines.flatMap((runs, row) =>
  runs.map(
    ({ column, text, style }) =>
      `<text x="${(margin + column * cell.width).toFixed(1)}" y="${margin + (row + 0.75) * cell.height}" ${style} textLength="${(Array.from(text).length * cell.width).toFixed(1)}">${escape(text)}</text>`,
  ),
)
console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<rect width="100%" height="100%" rx="8" fill="#22272e"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">
${body.join('\n')}
</g>
</svg>`)
