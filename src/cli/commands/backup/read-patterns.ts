import { readFile } from 'node:fs/promises'

/**
 * Patterns from files, one a line, as restic reads them: white space around them, empty lines and lines that begin with # count for nothing,
 * `$NAME` and `${NAME}` are variables of the environment, and `$$` is a dollar sign.
 */
export async function readPatterns(files: readonly string[]): Promise<string[]> {
  const patterns: string[] = []
  for (const file of files) for (const line of meaningfulLines(await readFile(file, 'utf8'))) patterns.push(expandVariables(line))
  return patterns
}

export function meaningfulLines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function expandVariables(text: string): string {
  return text.replaceAll(/\$(?:\$|\{(\w+)\}|(\w+))/g, (found, braced?: string, plain?: string) => {
    const name = braced ?? plain
    return name === undefined ? found.slice(1) : (process.env[name] ?? '')
  })
}
