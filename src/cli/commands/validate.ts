import pc from 'picocolors'
import {
  checkCatalog,
  codeFrame,
  problemLine,
  type Catalog,
  type CatalogProblem,
  type CatalogWarning,
} from '../../catalog/index.ts'
import { exitCodes } from '../../kernel/index.ts'
import { actionParams, faultParams } from '../../service/index.ts'
import { catalogPath } from '../catalog-path.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { counted } from '../output/counted.ts'

export const validateCommand = command('validate', 'check a catalog and show everything that is wrong with it', [
  ['holdfast validate', './holdfast.yaml'],
  ['holdfast validate dr/holdfast.yaml', 'another file'],
  ['holdfast validate --strict', 'for CI: a weakness that nobody has accepted is a failure too'],
  ['holdfast validate --json', 'for editors and CI: problems and warnings with code, line and column'],
])
  .argument('[file]', 'the catalog (default: --catalog, else ./holdfast.yaml or ./holdfast.config.ts)')
  .option('--strict', 'end with 4 when there are warnings that nobody has accepted')
  .option('--quiet', 'show no warnings')
  .addHelpText('after', '\nWhat a warning means, and how to accept one for a time: docs/lints.md')
  .action(async (file, { strict, quiet }, self) => {
    const { globals, print, signal } = contextOf(self)
    const path = file ?? catalogPath(globals)
    const check = await checkCatalog(path, { actionParams, faultParams }, signal)
    if (check.valid) {
      const { name, hash, files } = check.catalog
      const warnings = check.warnings.filter(({ accepted }) => accepted === undefined)
      print.result({ valid: true, file: path, name, hash, files, problems: [], warnings: check.warnings }, () =>
        [
          ...(quiet ? [] : warnings.map(warningText)),
          ...(warnings.length > 0 && !quiet ? [''] : []),
          validText(path, check.catalog),
          ...weaknessCount(warnings.length, check.warnings.length - warnings.length),
        ].join('\n'),
      )
      if (strict && warnings.length > 0) process.exitCode = exitCodes.objectiveMissed
      return
    }
    const { problems, lines } = check
    print.result({ valid: false, file: path, problems }, () => {
      const count = counted(problems.length, 'problem')
      return [...problems.map((problem) => problemText(problem, lines[problem.file] ?? [])), pc.red(`${count} in ${path}`)].join(
        '\n\n',
      )
    })
    process.exitCode = exitCodes.usage
  })

function validText(path: string, { files, sites, repositories, services, plans, experiments }: Catalog): string {
  const counts = [
    counted(Object.keys(services).length, 'service'),
    counted(Object.keys(plans).length, 'plan'),
    counted(Object.keys(repositories).length, 'repository', 'repositories'),
    counted(Object.keys(sites).length, 'site'),
    ...(Object.keys(experiments).length === 0 ? [] : [counted(Object.keys(experiments).length, 'experiment')]),
  ]
  const more = files.length === 1 ? '' : ` with ${counted(files.length - 1, 'more file')}`
  return `${pc.green('✓')} ${path}${more} is valid: ${counts.join(', ')}`
}

function warningText(warning: CatalogWarning): string {
  return `${pc.yellow('!')} ${problemLine(warning)} ${pc.dim(`[${warning.code}]`)}`
}

function weaknessCount(open: number, accepted: number): string[] {
  if (open === 0 && accepted === 0) return []
  const counts = [
    ...(open > 0 ? [`${counted(open, 'weakness', 'weaknesses')}: docs/lints.md says what to do about each`] : []),
    ...(accepted > 0 ? [`${accepted} accepted for a time`] : []),
  ]
  return [`  ${counts.join('; ')}`]
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
