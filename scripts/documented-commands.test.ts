import { globSync, readFileSync } from 'node:fs'
import type { Command, CommandUnknownOpts } from '@commander-js/extra-typings'
import { expect, test } from 'vitest'
import { createProgram } from '../src/cli/program.ts'
import { throwUsageErrors } from '../src/cli/usage-errors.ts'

/** Between backticks, in Markdown or in a string of the source. What is written beside a change of DNS is no command: `holdfast undo …`. */
const namedCommand = /`(?:npx )?(holdfast (?!undo )[a-z-][^`\\\n]*)\\?`/g
/** What may be missing where a command is only named: `holdfast runbook`. */
const namedOnly = /missing required argument|required option|needs one of its commands/

const help: string[] = []
const program = await parser()

/** The program, with commands that understand their line and do nothing. Of values only those that can be chosen are looked at. */
async function parser(): Promise<CommandUnknownOpts> {
  const made = await createProgram('0')
  for (const command of withAllBelow(made)) {
    if (command.commands.length === 0) (command as Command).action(() => {})
    for (const option of command.options) if (option.argChoices === undefined) option.argParser((value) => value)
    command.configureOutput({ writeOut: (text) => help.push(text) })
  }
  // As with --json: nothing is shown.
  throwUsageErrors(made, true)
  return made
}

function withAllBelow(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return [command, ...command.commands.flatMap(withAllBelow)]
}

/** A line as a person types it: placeholders of optional parts filled in, the first of several that can be chosen, no comment, no redirection. */
function wordsOf(line: string): string[] {
  const typed = line
    .replaceAll(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, 'X')
    .replace(/\s+(?:#|>|2>|\|).*$/, '')
    .replaceAll(/ …(?= |$)/g, '')
    .replaceAll(/[[\]]/g, '')
  const words = typed.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []
  return words.map((word) => word.replaceAll(/["']/g, '').split(/\\?\|/)[0] ?? '')
}

/** What is wrong with a command line; undefined when the program takes it. */
async function problemOf(line: string): Promise<string | undefined> {
  try {
    await program.parseAsync(wordsOf(line).slice(1), { from: 'user' })
    return undefined
  } catch (error) {
    const { exitCode, message } = error as { exitCode?: number; message: string }
    return exitCode === 0 ? undefined : message
  }
}

async function problemsOf(lines: readonly string[], tolerated = /^$/): Promise<string[]> {
  const problems: string[] = []
  for (const line of lines) {
    const problem = await problemOf(line)
    if (problem !== undefined && !tolerated.test(problem)) problems.push(`${line}: ${problem}`)
  }
  return problems
}

test('what the program does not take is found', async () => {
  const wrong = ['holdfast run nosuch', 'holdfast status --nosuch', 'holdfast runbook check', 'holdfast cat nothing']
  expect(await problemsOf(wrong)).toHaveLength(wrong.length)
})

const documents = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: new URL('..', import.meta.url).pathname })
const textOf = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

test('each command line in the documents is one that the program takes', async () => {
  const lines = documents.flatMap((path) => textOf(path).match(/^(?: {4})?(?:npx )?holdfast [a-z-].*$/gm) ?? [])
  expect(lines.length).toBeGreaterThan(30)
  expect(await problemsOf(lines.map((line) => line.trim().replace(/^npx /, '')))).toEqual([])
})

test('each command that a text of the documents or of the program names is there, with its options', async () => {
  const sources = globSync('src/**/*.ts', { cwd: new URL('..', import.meta.url).pathname })
  const lines = [...documents, ...sources].flatMap((path) =>
    [...textOf(path).matchAll(namedCommand)].map(([, line = '']) => line),
  )
  expect(lines.length).toBeGreaterThan(100)
  expect(await problemsOf(lines, namedOnly)).toEqual([])
})

test('each example of a help text is a command line that the program takes', async () => {
  for (const command of withAllBelow(program)) command.outputHelp()
  const examples = help.join('').match(/^ {2}holdfast .*?(?= {3})/gm) ?? []
  expect(examples.length).toBeGreaterThan(60)
  expect(await problemsOf(examples.map((line) => line.trim()))).toEqual([])
})
