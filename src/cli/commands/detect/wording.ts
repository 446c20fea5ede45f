import pc from 'picocolors'
import { formatDuration } from '../../../kernel/index.ts'
import type { Acted, CopyReach, Detection, ObserverView, Telling } from '../../../service/index.ts'
import { table } from '../../output/table.ts'

type Shown = Detection & { readonly wouldLose: readonly CopyReach[]; readonly next: string | undefined }

const colours: Record<Detection['verdict'], (text: string) => string> = {
  healthy: pc.green,
  suspected: pc.yellow,
  down: pc.red,
  unknown: pc.magenta,
}

const unheard: Record<Extract<ObserverView, { says: 'nothing' }>['because'], string> = {
  silent: 'has not reported',
  stale: 'its newest report is too old, or its clock is behind',
  'dated-in-the-future': 'its clock is ahead: it does not count',
  'looks-at-something-else': 'it looks at something else: its catalog is another one',
}

const doubts: Readonly<Record<string, string>> = {
  'no-snapshot': 'there is no backup there',
  'only-future-dated': 'all its backups are dated in the future',
  'repository-damaged': 'the last check found damage there',
  'incomplete-snapshot': 'that backup lacks files that could not be read',
  'wal-not-archived': 'no WAL reaches on from that backup',
  'no-data': 'it holds no data of its own',
}

/** The verdict in one line. */
export function verdictLine(detection: Detection): string {
  const { maintenance, countsFrom, plan } = detection
  const announced =
    maintenance === undefined
      ? ''
      : `; maintenance of all that ${plan} recovers was announced, of ${maintenance.service} until ${maintenance.until.toISOString()} (${maintenance.title})${maintenance.excuses ? '' : ', and excuses nothing: it was an outage before'}`
  const counted =
    countsFrom === undefined
      ? ''
      : `; maintenance was announced until ${countsFrom.toISOString()}, from when it counts as an outage`
  return `${seenLine(detection)}${announced}${counted}`
}

function seenLine({ service, verdict, since, by, because, time, rule }: Detection): string {
  const line = `${service} is ${colours[verdict](verdict)}`
  switch (verdict) {
    case 'healthy':
      return `${line}: ${rule.of - rule.needed + 1} or more of ${rule.of} observers see it well`
    case 'down':
    case 'suspected': {
      const seen = `${by?.join(', ')} ${by?.length === 1 ? 'sees' : 'see'} it since ${since?.toISOString()} (${formatDuration(time.getTime() - (since?.getTime() ?? 0))})`
      return verdict === 'down'
        ? `${line}: ${seen}`
        : `${line}: ${seen}; it takes ${rule.needed} of ${rule.of}, for ${formatDuration(rule.forMs)}`
    }
    case 'unknown':
    default:
      return because === 'too-few-observers'
        ? `${line}: fewer observers can be heard than the ${rule.needed} that it takes`
        : `${line}: nobody sees it down, but too few see it well`
  }
}

/** What to do next, as a command where there is one. */
export function nextStep(
  { service, plan, verdict, since, start, observers }: Detection,
  acting: boolean,
  acted?: Acted,
): string | undefined {
  if (verdict === 'healthy' || verdict === 'suspected') return undefined
  if (verdict === 'unknown') {
    const missing = observers.filter(({ says }) => says === 'nothing').map(({ observer }) => observer)
    const [first] = missing
    return first === undefined
      ? 'look at the network of the observers that are blind'
      : `see whether \`holdfast observe --as ${first}\` runs at its site${missing.length > 1 ? `, and ${missing.slice(1).join(', ')} too` : ''}`
  }
  const recover = `\`holdfast recover ${service} --onset ${since?.toISOString()}\``
  if (acted !== undefined && acted.kind !== 'ran')
    return `${claimText(acted)}; if that is of no help, a person decides: ${recover}`
  if (start.start) return acting ? undefined : `\`holdfast detect ${service} --act\` starts the plan ${plan}; or ${recover}`
  switch (start.because) {
    case 'run-open':
      return `run ${start.runId} is open: \`holdfast run show ${start.runId}\``
    case 'same-outage':
      return `run ${start.runId} was for this outage: see how it ended with \`holdfast run show ${start.runId}\`, then decide; ${recover}`
    case 'quiet':
      return `run ${start.runId} has just ended; nothing is started by itself until ${start.until.toISOString()}: a person decides, ${recover}`
    case 'runs-unreadable':
      return `what is recorded of earlier runs cannot be read (${start.message}): a person decides, ${recover}`
    case 'maintenance':
      return `it was announced: until ${start.until.toISOString()} nothing is started by itself, and nobody is told; a person can, with ${recover}`
    case 'a-person-decides':
    case 'not-down':
    default:
      return `a person decides: ${recover}`
  }
}

/** What keeps this machine from starting a run. */
export function claimText(acted: Exclude<Acted, { kind: 'ran' }>): string {
  if (acted.kind === 'not-claimable') return `nothing was started, because it cannot be claimed: ${acted.because}`
  const { host, run, at } = acted.claim
  return acted.kind === 'begun'
    ? `${host} has begun the run ${run}: \`holdfast run show ${run}\` there`
    : `${host} has claimed it at ${at}, and is about to start the run ${run}`
}

/** Who was told, where anybody was to be. */
export function tellingLines(telling: Telling | undefined): string[] {
  switch (telling?.state) {
    case 'told':
      return ['people were told', ...telling.problems.map((problem) => `one way did not work: ${problem}`)]
    case 'not-told':
      return [pc.red('NOBODY WAS TOLD'), ...telling.problems]
    case 'told-before':
      return ['people were told of this incident before']
    case 'told-elsewhere':
      return ['another machine tells people of this incident']
    case undefined:
    default:
      return []
  }
}

export function detectionText(shown: Shown): string {
  const { observers, wouldLose, next } = shown
  return [
    verdictLine(shown),
    table(
      [
        { title: 'observer', value: ({ observer }) => observer },
        { title: 'site', value: ({ site }) => site },
        { title: 'sees', value: sees },
        { title: 'for', value: ({ heldMs }) => (heldMs === undefined ? '' : formatDuration(heldMs)), align: 'right' },
        {
          title: 'heard',
          value: ({ ageMs }) => (ageMs === undefined ? 'never' : `${formatDuration(ageMs)} ago`),
          align: 'right',
        },
        { title: 'because', value: why },
      ],
      observers,
    ),
    ...(wouldLose.length === 0 ? [] : [`${pc.bold('what would be lost now')}\n${wouldLose.map(reachText).join('\n')}`]),
    ...(next === undefined ? [] : [`${pc.bold('next:')} ${next}`]),
  ].join('\n\n')
}

function sees(view: ObserverView): string {
  switch (view.says) {
    case 'up':
      return pc.green('up')
    case 'down':
      return view.counts ? pc.red('down') : pc.yellow('down, not long enough')
    case 'blind':
      return pc.yellow('blind')
    case 'nothing':
    default:
      return pc.magenta('nothing')
  }
}

function why(view: ObserverView): string {
  const failing = (view.probes ?? []).filter(({ well }) => !well).map(({ probe, because }) => `${probe}: ${because}`)
  const reference =
    view.reference?.well === false ? [`its reference too, ${view.reference.probe}: ${view.reference.because}`] : []
  const clock =
    view.clockAheadMs !== undefined && Math.abs(view.clockAheadMs) > 1000
      ? [`its clock is ${formatDuration(Math.abs(view.clockAheadMs))} ${view.clockAheadMs > 0 ? 'ahead' : 'behind'}`]
      : []
  if (view.says === 'nothing') return [view.problem ?? unheard[view.because], ...clock].join('; ')
  return [...failing, ...reference, ...clock].join('; ')
}

function reachText({ service, repository, until, byWal, lostMs, because }: CopyReach): string {
  const doubt = because === undefined ? '' : `: ${doubts[because] ?? because}`
  if (until === undefined) return `  ${service} from ${repository}: ${pc.red('nothing would come back')}${doubt}`
  return `  ${service} from ${repository}: ${formatDuration(lostMs ?? 0)}, ${byWal === true ? 'its WAL reaches' : 'its newest backup is'} to ${until.toISOString()}${doubt}`
}
