import pc from 'picocolors'
import { checkCatalog, codeFrame, problemLine, type Catalog, type CatalogProblem } from '../../catalog/index.ts'
import { exitCodes } from '../../kernel/index.ts'
import { actionParams } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'

export const validateCommand = command('validate', 'check a catalog and show everything that is wrong with it', [
  ['holdfast validate', './holdfast.yaml'],
  ['holdfast validate dr/holdfast.yaml', 'another file'],
  ['holdfast validate --json', 'for editors and CI: problems with code, line and column'],
])
  .argument('[file]', 'the catalog (default: --catalog, else ./holdfast.yaml)')
  .action(async (file, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    const path = file ?? globals.catalog ?? 'holdfast.yaml'
    const check = await checkCatalog(path, { actionParams }, signal)
    if (check.valid) {
      const { name, hash } = check.catalog
      print.result({ valid: true, file: path, name, hash, problems: [] }, () => validText(path, check.catalog))
      return
    }
    const { problems, lines } = check
    print.result({ valid: false, file: path, problems }, () => {
      const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
      return [...problems.map((problem) => problemText(problem, lines)), pc.red(`${count} in ${path}`)].join('\n\n')
    })
    process.exitCode = exitCodes.usage
  })

function validText(path: string, { sites, repositories, services, plans }: Catalog): string {
  const counts = [
    counted(services, 'service', 'services'),
    counted(plans, 'plan', 'plans'),
    counted(repositories, 'repository', 'repositories'),
    counted(sites, 'site', 'sites'),
  ]
  return `${pc.green('✓')} ${path} is valid: ${counts.join(', ')}`
}

function counted(entries: object, one: string, many: string): string {
  const count = Object.keys(entries).length
  return `${count} ${count === 1 ? one : many}`
}

function problemText(problem: CatalogProblem, lines: readonly string[]): string {
  const frame = codeFrame(lines, problem)
  return [
    pc.bold(problemLine(problem)),
    ...(frame === '' ? [] : [pc.dim(frame)]),
    ...(problem.expected === undefined ? [] : [`  expected: ${problem.expected}`]),
    ...(problem.hint === undefined ? [] : [`  hint: ${problem.hint}`]),
  ].join('\n')
}
