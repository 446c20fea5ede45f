import { heading, text, type Block } from '../../../recovery/index.ts'
import type { ReportFacts } from '../facts.ts'
import { chapter } from '../words.ts'

export function basisChapter({ ledgers, status, madeOn }: ReportFacts): Block {
  return chapter(9, 'What this rests on', [
    text(
      'Every figure is from a record in one of these ledgers or from the catalog; nothing was typed in. Records are chained and signed. `holdfast ledger export` gives them all to somebody who wants to verify them without Holdfast; the hashes below must be in what they verify.',
    ),
    {
      type: 'facts',
      facts: [
        ['catalog', [`${status.catalog.name}, SHA-256 ${status.catalog.hash}`]],
        ['made by', [`Holdfast ${madeOn.version} on ${madeOn.host}`]],
      ],
    },
    ...ledgers.flatMap(({ repository, id, records, head, uncounted, writers }): Block[] => [
      heading(3, `Ledger in ${repository}`),
      {
        type: 'facts',
        facts: [
          ['repository', [id]],
          ['records', [`${records}, of which ${uncounted} are not counted`]],
          ['newest', [head ? `record ${head.seq}, ${head.hash}` : 'none']],
          ...writers.map((writer) => ['signed by', [writerText(writer)]] as const),
        ],
      },
    ]),
    ...(ledgers.length === 0 ? [text('No ledger could be read.')] : []),
  ])
}

function writerText({ name, key, host, records }: ReportFacts['ledgers'][number]['writers'][number]): string {
  return `${name ?? 'a key that the catalog does not name'} (${key}, on ${host}): ${records} records`
}
