import { formatDuration } from '../../../kernel/index.ts'
import { code, heading, list, strong, text, type Block, type Inline } from '../document.ts'
import { recoverLine } from '../what-to-type.ts'
import type { Runbook } from '../model.ts'
import { onCall, owner } from './people.ts'

/** How the disaster shows, and who may say that it is one. */
export function detectionChapter(runbook: Runbook): Block[] {
  const { plan, service, isRecovery } = runbook
  const { detection } = plan
  if (!isRecovery && detection === undefined) return occasionChapter(runbook)
  const { health } = service
  const symptoms = (detection?.symptoms ?? []).map((symptom): Inline[] => [symptom])
  if (health !== undefined) {
    symptoms.push(
      health.kind === 'http'
        ? [code(health.url), ` does not answer ${health.status} within ${formatDuration(health.timeoutMs)}`]
        : [code(`${health.host}:${health.port}`), ` takes no connection within ${formatDuration(health.timeoutMs)}`],
    )
  }
  const { quorum, forMs } = detection ?? {}
  const rules = [
    ...(quorum === undefined ? [] : [`${quorum.needed} of ${quorum.of} observers see it`]),
    ...(forMs === undefined ? [] : [`it holds for ${formatDuration(forMs)}`]),
  ]
  return [
    heading(2, 'How you know, and who decides'),
    symptoms.length === 0
      ? text(strong('The catalog names no symptoms'), ': whoever is on call must judge by what they see.')
      : list('check', symptoms),
    ...(rules.length === 0 ? [] : [text(`It counts when ${rules.join(' and ')}.`)]),
    ...(detection?.watch === undefined
      ? []
      : [
          text(
            `The observers ${detection.watch.observers.join(', ')} look every ${formatDuration(detection.watch.everyMs)}. What they see, and what would be lost: `,
            code(`holdfast detect ${service.name}`),
          ),
        ]),
    detection?.decide === 'auto'
      ? text('The decision is ', strong('automatic'), `. ${owner(service)} (on call: ${onCall(service)}) is told.`)
      : text(strong('A person decides'), `: whoever is on call (${onCall(service)}), else ${owner(service)}.`),
    text('Decided by …………………………  at ……………  Began (onset) at ……………'),
  ]
}

/** Of a plan that is for another occasion than a disaster: the way back after a failover, a move, a gameday. */
function occasionChapter({ plan, service }: Runbook): Block[] {
  const { recovery } = service
  return [
    heading(2, 'When, and who decides'),
    text(
      strong('This is not what brings the service back after a disaster'),
      ...(recovery === undefined
        ? [': the service names no plan for that.']
        : [': that is the plan ', code(recovery), ', its runbook ', code(`holdfast runbook ${service.name}`), '.']),
    ),
    text(
      strong('A person decides'),
      `: whoever is on call (${onCall(service)}), else ${owner(service)}. To try it: `,
      code(`holdfast drill run ${plan.name}`),
      ', or with ',
      code('--live'),
      ' as a gameday.',
    ),
    text('Decided by …………………………  at ……………  Began at ……………'),
  ]
}

/** What must be there before the first step. */
export function prerequisitesChapter(runbook: Runbook): Block[] {
  const { plan, copies, steps, version } = runbook
  const secrets = new Set(steps.flatMap((step) => step.secrets.map(({ where }) => where)))
  return [
    heading(2, 'Before you begin'),
    list('check', [
      ...plan.needs.map((name): Inline[] => [code(name), ' can be reached: the plan needs it']),
      ...plan.prerequisites.map((prerequisite): Inline[] => [prerequisite]),
      ...copies.map(({ repository, password }): Inline[] => [
        'the repository ',
        code(repository.name),
        ' can be reached, and its password can be had: ',
        password,
      ]),
      ...[...secrets].map((where): Inline[] => [`${where} can be had`]),
      [`Holdfast ${version} and the catalog are on this machine (without Holdfast: the plain commands below)`],
      [code(`${recoverLine(runbook)} --dry-run`), ' reports no blocker'],
      ['somebody writes down what is done, and when'],
    ]),
  ]
}
