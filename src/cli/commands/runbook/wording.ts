import type { RunbookFinding } from '../../../recovery/index.ts'

const shownLines = 10
const shownCharacters = 160

/** What is wrong with a runbook, for people. */
export function findingText(finding: RunbookFinding, file: string): string {
  switch (finding.code) {
    case 'not-a-runbook':
      return `${file} is not a runbook that Holdfast wrote: its first lines do not say so`
    case 'other-service':
      return `${file} is the runbook of ${finding.found}, not of ${finding.expected}`
    case 'other-plan':
      return `${file} is the runbook of the plan ${finding.found}, not of ${finding.expected}`
    case 'plan':
      return `the plan has changed since: ${file} is for ${finding.found.slice(0, 12)}, the plan is ${finding.expected.slice(0, 12)}`
    case 'version':
      return `it was written by Holdfast ${finding.found}, and this is ${finding.expected}; the plan is the same`
    case 'altered':
      return `${file} was changed after Holdfast wrote it: what stands on its pages is not certain`
    case 'content':
    default: {
      const { lines } = finding
      const more = lines.length > shownLines ? [`  and ${lines.length - shownLines} more`] : []
      const places = lines
        .slice(0, shownLines)
        .flatMap(({ line, found, expected }) => [
          `  line ${line}:`,
          ...(found === undefined ? [] : [`    has     ${shorten(found)}`]),
          ...(expected === undefined ? [] : [`    should  ${shorten(expected)}`]),
        ])
      return [`${lines.length === 1 ? 'a line differs' : `${lines.length} lines differ`}:`, ...places, ...more].join('\n')
    }
  }
}

function shorten(line: string): string {
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters - 1)}…`
}
