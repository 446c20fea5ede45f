import {
  formatSpan,
  type CountRule,
  type Decision,
  type ForgetGroup,
  type ForgetReport,
  type GroupName,
  type KeepReason,
  type PassReason,
} from '../../../backup/index.ts'
import { shortId } from '../../../kernel/index.ts'
import { table, type Column } from '../../output/table.ts'
import { localTime } from '../../output/time.ts'
import { counted } from '../../output/counted.ts'

/** The reasons in restic's words, where it has some. */
export function reasonText(reason: KeepReason): string {
  if (reason.rule === 'future') return 'dated in the future'
  if (reason.rule === 'tags') return `has tags [${reason.tags.join(', ')}]`
  if (reason.rule === 'within') return `within ${formatSpan(reason.span)}`
  const oldest = reason.oldest ? 'oldest ' : ''
  if ('span' in reason) return `${oldest}${reason.rule.slice('within-'.length)} within ${formatSpan(reason.span)}`
  return `${oldest}${reason.rule} snapshot`
}

const units: Readonly<Record<CountRule, string>> = {
  last: 'snapshot',
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
}

function passText(pass: PassReason): string {
  if (pass.because === 'other-tags') return 'has none of the tags to keep'
  if (pass.because === 'too-old') return `${pass.rule}: too old`
  if (pass.because === 'count-reached') return `${pass.rule}: enough newer ones`
  const rule = pass.rule.replace('within-', '') as CountRule
  return `${pass.rule}: ${shortId(pass.by)} stands for its ${units[rule]}`
}

function whyText({ reasons, passedOver }: Decision): string {
  return reasons.length > 0 ? reasons.map(reasonText).join(', ') : passedOver.map(passText).join(', ')
}

const columns: readonly Column<Decision>[] = [
  { title: '', value: ({ keep }) => (keep ? 'keep' : 'remove') },
  { title: 'ID', value: ({ snapshot }) => shortId(snapshot.id) },
  { title: 'Time', value: ({ snapshot }) => localTime(snapshot.timeMs) },
  { title: 'Host', value: ({ snapshot }) => snapshot.hostname ?? '' },
  { title: 'Tags', value: ({ snapshot }) => (snapshot.tags ?? []).join(', ') },
  { title: 'Why', value: whyText },
]

export function forgetText({ groups, removed, kept, dryRun }: ForgetReport): string {
  if (groups.length === 0) return 'no snapshot matches: nothing to decide'
  const count = counted(removed.length, 'snapshot')
  const done = dryRun
    ? `would remove ${count} and keep ${kept}; nothing was removed: a dry run`
    : `removed ${count}, kept ${kept}`
  return [...groups.map(groupText), done].join('\n\n')
}

function groupText({ name, decisions }: ForgetGroup): string {
  const title = groupTitle(name)
  return `${title === '' ? '' : `${title}\n`}${table(columns, decisions)}`
}

function groupTitle({ host, paths, tags }: GroupName): string {
  return [
    ...(host === undefined ? [] : [`host ${host}`]),
    ...(paths === undefined ? [] : [`paths ${paths.join(', ')}`]),
    ...(tags === undefined ? [] : [`tags ${tags.join(', ') || 'none'}`]),
  ].join(', ')
}

/** The report as documented for --json. */
export function forgetJson({ groups, ...report }: ForgetReport) {
  return {
    ...report,
    groups: groups.map(({ name, decisions }) => ({
      ...name,
      decisions: decisions.map(({ snapshot, keep, reasons, passedOver }) => ({
        id: snapshot.id,
        shortId: shortId(snapshot.id),
        time: snapshot.time,
        ...(snapshot.hostname !== undefined && { host: snapshot.hostname }),
        paths: snapshot.paths,
        tags: snapshot.tags ?? [],
        keep,
        reasons,
        passedOver,
      })),
    })),
  }
}
