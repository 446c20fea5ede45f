import { copyNeeds, copyRules, type CopyRule } from '../../../objectives/index.ts'
import { heading, text, type Block } from '../../../recovery/index.ts'
import type { ReportFacts } from '../facts.ts'
import { chapter, durationOr, placeText, sizeOr, tableOr, timeText } from '../words.ts'

export function restoresChapter({ restores }: ReportFacts): Block {
  const sum = (of: (body: (typeof restores)[number]['body']) => number) =>
    restores.reduce((total, { body }) => total + of(body), 0)
  return chapter(4, 'Restore tests', [
    ...(restores.length === 0
      ? []
      : [
          text(
            `${restores.length} in all: ${sum(({ files }) => files)} files and ${sizeOr(sum(({ sizeBytes }) => sizeBytes))} came back, ${sum(({ verifiedFiles }) => verifiedFiles)} files were compared with what was backed up, ${sum(({ skipped }) => skipped)} could not be restored. A restore of which nothing was compared proves nothing.`,
          ),
        ]),
    tableOr(
      restores,
      [
        ['time', ({ time }) => timeText(time)],
        ['service', ({ service }) => service ?? '–'],
        ['snapshot', ({ body }) => body.snapshot.slice(0, 8)],
        ['from', ({ body }) => body.repository],
        ['files', ({ body }) => `${body.files}${body.partial === true ? ' (a part)' : ''}`],
        ['size', ({ body }) => sizeOr(body.sizeBytes)],
        ['compared', ({ body }) => (body.verifiedFiles === 0 ? 'none: no proof' : String(body.verifiedFiles))],
        ['not restored', ({ body }) => String(body.skipped)],
        ['took', ({ body }) => durationOr(body.durationMs)],
        ['on record', ({ records }) => placeText(records)],
      ],
      'No restore is on record in this period: that the backups can be restored was not shown.',
    ),
  ])
}

function ruleTitle(rule: CopyRule): string {
  return rule === 'errors' ? 'errors (0)' : `${rule} (${copyNeeds[rule]})`
}

export function copiesChapter({ backups, checks, removals, copies, status, madeAt }: ReportFacts): Block {
  const proven = status.services.flatMap(({ service, copies: counted }) =>
    counted === undefined ? [] : [{ service, ...counted }],
  )
  const byPlace = [
    ...Map.groupBy(backups, ({ service, body }) => JSON.stringify([service, body.repository, body.source])).values(),
  ].flatMap((all) => {
    const newest = all.at(-1)
    return newest === undefined ? [] : [{ all, newest }]
  })
  return chapter(5, 'Backups, copies and their checks', [
    heading(3, 'Where the catalog says that copies go'),
    tableOr(
      copies,
      [
        ['service', ({ service }) => service],
        [
          'repositories',
          ({ to }) => to.map(({ repository, site, media }) => `${repository} (${site}, ${media})`).join(', ') || 'none',
        ],
        ['off site', ({ to }) => (to.some(({ offSite }) => offSite) ? 'yes' : 'no')],
        [
          'immutable',
          ({ to }) =>
            to
              .flatMap(({ repository, immutableForMs }) =>
                immutableForMs === undefined ? [] : [`${repository}: ${durationOr(immutableForMs)}, as declared`],
              )
              .join(', ') || 'none declared',
        ],
      ],
      'No service holds data.',
    ),
    heading(3, 'Copies that are proven: 3-2-1-1-0'),
    text(
      `As of ${timeText(madeAt)}. A copy counts when all of the data is in it, from the last 90 days, and of each part of it a backup of the last 90 days was read again and found right: by a check of all data that began when it was there, by a compared restore, or by a recovery or drill that restored it from there, whole, and whose checks passed. The original is one of the copies, on disk; off site is another site and another account.`,
    ),
    tableOr(
      proven,
      [
        ['service', ({ service }) => service],
        ...copyRules.map((rule) => [ruleTitle(rule), ({ counts }: (typeof proven)[number]) => String(counts[rule])] as const),
        ['kept', ({ verdict }) => (verdict === 'met' ? 'yes' : verdict === 'missed' ? 'no' : 'unknown')],
        [
          'do not count',
          (row) =>
            row.copies
              .flatMap(({ repository, problem }) => (problem === undefined ? [] : [`${repository}: ${problem}`]))
              .join(', ') || 'none',
        ],
        ['on record', (row) => placeText(row.copies.flatMap(({ records }) => records)) || 'nothing'],
      ],
      'No service holds data.',
    ),
    heading(3, 'Backups'),
    tableOr(
      byPlace,
      [
        ['service', ({ newest }) => newest.service ?? '–'],
        ['repository', ({ newest }) => newest.body.repository],
        ['source', ({ newest }) => newest.body.source],
        ['backups', ({ all }) => String(all.length)],
        ['newest', ({ newest }) => timeText(newest.body.snapshotTime)],
        ['its size', ({ newest }) => sizeOr(newest.body.sizeBytes)],
        ['lacking something', ({ all }) => String(all.filter(({ body }) => body.skipped > 0).length)],
      ],
      'No backup is on record in this period.',
    ),
    heading(3, 'Checks of repositories'),
    tableOr(
      checks,
      [
        ['time', ({ time }) => timeText(time)],
        ['repository', ({ body }) => body.repository],
        ['depth', ({ body }) => (body.depth === 'data' ? 'every byte' : 'structure')],
        ['snapshots', ({ body }) => String(body.snapshots)],
        ['read', ({ body }) => sizeOr(body.readBytes)],
        [
          'found',
          ({ body }) =>
            body.snapshots === 0
              ? 'nothing was looked at'
              : body.findings.map(({ code, count }) => `${count} × ${code}`).join(', ') || 'no damage',
        ],
        ['on record', ({ records }) => placeText(records)],
      ],
      'No check of a repository is on record in this period.',
    ),
    heading(3, 'Snapshots that were removed'),
    tableOr(
      removals,
      [
        ['time', ({ time }) => timeText(time)],
        ['repository', ({ body }) => body.repository],
        ['removed', ({ body }) => String(body.removed.length)],
        ['by', ({ body }) => body.rules?.join(', ') ?? 'named one by one'],
        ['on record', ({ records }) => placeText(records)],
      ],
      'None is on record in this period.',
    ),
  ])
}
