import pc from 'picocolors'
import { exitCodes } from '../../../kernel/index.ts'
import { diagnose, excuseOf, type Complaint, type Diagnosis, type Severity } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { complaintText, nextCommand } from './wording.ts'
import { environmentOption } from '../../environment-option.ts'
import { counted } from '../../output/counted.ts'

export const doctorCommand = command('doctor', 'what is wrong now, the worst first, and what to do about it', [
  ['holdfast doctor', 'everything that can be known from here'],
  [
    'holdfast doctor --json',
    'for a program; exit code 4 when something is critical or serious that no announced maintenance excuses',
  ],
])
  .addOption(environmentOption())
  .action(async ({ environment }, self) => {
    const { globals, print, signal } = contextOf(self)
    const diagnosis = await diagnose(catalogPath(globals), { environment }, signal)
    const complaints = diagnosis.complaints.map((complaint) => {
      const next = nextCommand(complaint)
      return { ...complaint, message: complaintText(complaint), ...(next === undefined ? {} : { next }) }
    })
    print.result({ ...diagnosis, complaints }, () => diagnosisText(diagnosis))
    const isUrgent = (complaint: Complaint) => complaint.severity !== 'minor' && excuseOf(complaint) === undefined
    if (diagnosis.complaints.some(isUrgent)) process.exitCode = exitCodes.objectiveMissed
  })

const colours: Record<Severity, (text: string) => string> = { critical: pc.red, serious: pc.yellow, minor: pc.dim }

function diagnosisText({ complaints, looked, catalog }: Diagnosis): string {
  const seen = `looked at ${counted(looked.services, 'service')}, ${counted(looked.repositories, 'repository', 'repositories')}, ${counted(looked.plans, 'plan')} and ${counted(looked.runs, 'run')} of ${catalog.name}`
  if (complaints.length === 0) return `${pc.green('✓')} nothing is wrong; ${seen}`
  const counts = (['critical', 'serious', 'minor'] as const).flatMap((severity) => {
    const count = complaints.filter((complaint) => complaint.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}`]
  })
  return [...complaints.flatMap(lines), '', `${counts.join(', ')}; ${seen}`].join('\n')
}

function lines(complaint: Complaint): string[] {
  const next = nextCommand(complaint)
  const { severity } = complaint
  return [
    `${colours[severity](severity.padEnd(8))}  ${complaintText(complaint)}`,
    ...(next === undefined ? [] : [`${' '.repeat(10)}${pc.cyan('→')} ${next}`]),
  ]
}
