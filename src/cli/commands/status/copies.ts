import {
  copyNeeds,
  copyRules,
  type CopiesStatus,
  type CopyProblem,
  type CopyRule,
  type CopyStatus,
} from '../../../objectives/index.ts'
import type { ServiceReport } from '../../../service/index.ts'
import { counted } from '../../output/counted.ts'
import { table } from '../../output/table.ts'
import { coloured } from './colours.ts'

const problems: Readonly<Record<CopyProblem, string>> = {
  unseen: 'could not be looked into',
  'no-snapshot': 'holds no backup of all of it',
  'only-future-dated': 'its backups are dated in the future',
  'repository-damaged': 'the last check found damage',
  'incomplete-snapshot': 'its backups lack files that could not be read',
  'completeness-unknown': 'nothing says whether its backups are whole',
  'too-old': 'its newest backup is older than 90 days',
  'never-read': 'nobody has read what it holds again: run `holdfast check --read-data`',
  'read-too-long-ago': 'what was read of it is from more than 90 days ago: run `holdfast check --read-data`',
}

/** 3-2-1-1-0 of a service: what is proven of what each part of the rule asks for, and each copy with the records that show it. */
export function copiesLines({ service, copies: status }: ServiceReport): string[] {
  if (status === undefined) return []
  const { counts, copies, distinct, verdict } = status
  const parts = copyRules.map((rule) =>
    rule === 'errors' ? `${rule} ${counts.errors} of 0` : `${rule} ${counts[rule]} of ${copyNeeds[rule]}`,
  )
  const rows = table<CopyStatus>(
    [
      { title: 'copy', value: ({ repository }) => repository },
      { title: 'site', value: ({ site }) => site },
      { title: 'medium', value: ({ media }) => media },
      { title: 'immutable', value: ({ isImmutable }) => (isImmutable ? 'yes' : 'no') },
      { title: 'newest backup', value: ({ newest }) => newest?.toISOString() ?? '-' },
      { title: 'last read', value: ({ readAt }) => readAt?.toISOString() ?? '-' },
      {
        title: 'on record',
        value: ({ records }) => records.map(({ repository, seq }) => `${repository} ${seq}`).join(', ') || '-',
      },
      { title: 'counts', value: ({ problem }) => (problem === undefined ? 'yes' : `no: ${problems[problem]}`) },
    ],
    copies,
  )
  return [
    '',
    `copies of ${service}, 3-2-1-1-0 by proof: ${coloured(verdict)}${lackingText(status)}`,
    `${parts.join(', ')}; with the original ${counted(distinct.sites, 'site')}, ${counted(distinct.accounts, 'account')}; ${counted(distinct.keys, 'key')}`,
    ...(copies.length === 0 ? ['the catalog names no repository for it (`backup.to`)'] : [rows]),
  ]
}

function lackingText({ lacking }: CopiesStatus): string {
  const words: Readonly<Record<CopyRule, string>> = {
    copies: 'too few copies',
    media: 'all on one medium',
    'off-site': 'none off site',
    immutable: 'each can be deleted',
    errors: 'not all are proven',
  }
  return lacking.length === 0 ? '' : ` (${lacking.map((rule) => words[rule]).join(', ')})`
}
