import { text, type Block } from '../../../recovery/index.ts'
import { controlsOf } from '../controls.ts'
import type { ReportFacts } from '../facts.ts'
import { chapter, tableOr } from '../words.ts'

export function controlsChapter(facts: ReportFacts): Block {
  return chapter(8, 'Requirements that this is evidence for', [
    text(
      'What frameworks ask for, in brief, and what is on record for it in this period. Whether a requirement is met is for the auditor to say: the last column is what no ledger can show.',
    ),
    tableOr(
      controlsOf(facts),
      [
        ['framework', ({ framework }) => framework],
        ['reference', ({ reference }) => reference],
        ['asks that', ({ asks }) => asks],
        ['chapters', ({ chapters }) => chapters.join(', ')],
        ['evidence', ({ support, because }) => `${support}: ${because}`],
        ['not shown here', ({ beyond }) => beyond],
      ],
      '',
    ),
  ])
}
