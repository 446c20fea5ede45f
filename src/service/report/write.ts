import type { Catalog, ServiceEnvironment } from '../../catalog/index.ts'
import { renderHtmlPage, renderPdfPages, type Block } from '../../recovery/index.ts'
import { codeVersion } from '../recovery/code-version.ts'
import { basisChapter } from './chapters/basis.ts'
import { controlsChapter } from './chapters/controls.ts'
import { copiesChapter, restoresChapter } from './chapters/copies.ts'
import { exceptionsChapter } from './chapters/exceptions.ts'
import { experimentsChapter } from './chapters/experiments.ts'
import { objectivesChapter } from './chapters/objectives.ts'
import { runsChapter } from './chapters/runs.ts'
import { summaryChapter } from './chapters/summary.ts'
import { factsAsJson, gatherReport, type Period, type ReportFacts } from './facts.ts'
import { controlsOf } from './controls.ts'
import { dayText, timeText } from './words.ts'

export const reportFormats = ['html', 'json', 'pdf'] as const
export type ReportFormat = (typeof reportFormats)[number]

export interface WrittenReport {
  readonly facts: ReportFacts
  /** Bytes of a PDF, text of the others. */
  readonly content: string | Uint8Array
}

/** What was achieved in a period, for auditors. */
export async function writeReport(
  catalog: Catalog,
  {
    format,
    period,
    host,
    environment,
  }: {
    readonly format: ReportFormat
    readonly period: Period
    readonly host: string
    readonly environment?: ServiceEnvironment | undefined
  },
  signal: AbortSignal,
): Promise<WrittenReport> {
  const facts = await gatherReport(catalog, period, { at: new Date(), host, version: codeVersion(), environment }, signal)
  return { facts, content: await render(facts, format) }
}

async function render(facts: ReportFacts, format: ReportFormat): Promise<string | Uint8Array> {
  if (format === 'json')
    return `${JSON.stringify({ ...(factsAsJson(facts) as object), controls: controlsOf(facts) }, undefined, 2)}\n`
  const { title, blocks } = documentOf(facts)
  if (format === 'html') return renderHtmlPage(title, [], blocks)
  return renderPdfPages({
    title,
    subject: periodText(facts.period),
    version: facts.madeOn.version,
    footer: [`${title} · ${periodText(facts.period)} · Holdfast ${facts.madeOn.version}`, `catalog ${facts.status.catalog.hash}`],
    blocks,
    date: facts.madeAt,
    note: (isUnknown) =>
      isUnknown ? '‹U+…› is a character that cannot be printed here; the report as HTML or JSON has it.' : '',
  })
}

/** A report in words, for whatever it is to be written as. */
export function documentOf(facts: ReportFacts): { readonly title: string; readonly blocks: readonly Block[] } {
  const title = `Disaster recovery of ${facts.status.catalog.name}`
  const { period, madeAt, status, environment } = facts
  return {
    title,
    blocks: [
      { type: 'heading', level: 1, text: title },
      {
        type: 'facts',
        facts: [
          ['period', [periodText(period)]],
          ['made', [timeText(madeAt)]],
          ...(environment === undefined
            ? []
            : [['services', [`of the environment ${environment}; what names no service of the catalog is in it too`]] as const]),
          ['verdict now', [status.verdict]],
        ],
      },
      { ...summaryChapter(facts), type: 'step', noReturn: false } as Block,
      objectivesChapter(facts),
      runsChapter(facts),
      restoresChapter(facts),
      copiesChapter(facts),
      experimentsChapter(facts),
      exceptionsChapter(facts),
      controlsChapter(facts),
      basisChapter(facts),
    ],
  }
}

/** The end is not in it. */
function periodText({ from, to }: Period): string {
  return `${dayText(from)} to ${timeText(to)}`
}
