import { describe, expect, test } from 'vitest'
import { actions } from '../../actions/index.ts'
import { catalogOf, nothingKnown, renderedRunbook, runbookVersion, shopText } from '../../../test/support/runbooks.ts'
import { compilePlan } from '../compile.ts'
import { planHash } from '../plan.ts'
import { buildRunbook } from './build.ts'
import { compareRunbook } from './compare.ts'
import { differingLines } from './differing-lines.ts'
import { formatOf, renderRunbook } from './render.ts'
import { wordRunbook } from './word.ts'

/** What `runbook check` finds for a file, with the catalog of that text. */
async function found(committed: string, text = shopText(), version = runbookVersion) {
  const runbook = buildRunbook(await catalogOf(text), { service: 'orders' }, actions, version)
  const document = wordRunbook(runbook)
  const hashBy = (other: string) => planHash(compilePlan(runbook.plan), other)
  return compareRunbook(
    { text: committed, altered: false },
    { text: renderRunbook(document, formatOf(committed)), identity: document.identity, hashBy },
  )
}

describe.each(['md', 'html'] as const)('a committed runbook (%s)', (format) => {
  test('is current whatever was measured, and with the line ends of another system', async () => {
    const committed = await renderedRunbook(undefined, { format, evidence: nothingKnown })
    expect(committed).not.toBe(await renderedRunbook(undefined, { format }))
    expect(await found(committed)).toEqual([])
    expect(await found(committed.replaceAll('\n', '\r\n'))).toEqual([])
  })

  test('is not when the plan has changed', async () => {
    const findings = await found(await renderedRunbook(undefined, { format }), shopText().replace('timeout: 2m', 'timeout: 4m'))
    expect(findings).toMatchObject([{ code: 'plan' }, { code: 'content' }])
    const lines = findings.flatMap((finding) => (finding.code === 'content' ? finding.lines : []))
    // The step's limit, in the table and by itself, and what the whole may take.
    expect(lines.some(({ found, expected }) => found?.includes('2 min') === true && expected?.includes('4 min') === true)).toBe(
      true,
    )
  })

  test('is not when what surrounds the plan has changed', async () => {
    const findings = await found(
      await renderedRunbook(undefined, { format }),
      shopText().replaceAll('+1-555-0100', '+1-555-0199'),
    )
    expect(findings).toMatchObject([{ code: 'content' }])
  })

  test('is not when it was edited by hand, also by a mark of what was measured', async () => {
    const committed = await renderedRunbook(undefined, { format })
    expect(await found(committed.replace('./switch', './switch --force'))).toMatchObject([{ code: 'content', lines: [{}] }])
    const hidden = committed.replace('./switch', '<!-- measured -->./other<!-- /measured -->')
    expect(await found(hidden)).toMatchObject([{ code: 'content' }])
  })

  test('is not when another version wrote it: that runs the plan as another', async () => {
    const committed = await renderedRunbook(undefined, { format })
    expect(await found(committed, shopText(), '2.0.0')).toEqual([{ code: 'version', found: runbookVersion, expected: '2.0.0' }])
  })
})

test('the runbook of another service is told from a changed one', async () => {
  expect(await found(await renderedRunbook(undefined, { service: 'web' }))).toEqual([
    { code: 'other-service', found: 'web', expected: 'orders' },
  ])
})

test('a file that Holdfast did not write is none', async () => {
  expect(await found('# Runbook: orders\n')).toEqual([{ code: 'not-a-runbook' }])
  expect(await found('')).toEqual([{ code: 'not-a-runbook' }])
})

describe('differing lines', () => {
  test('are changed, missing or too many', () => {
    expect(differingLines('a\nb\nc\nd', 'a\nB\nc\nd\ne')).toEqual([
      { line: 2, found: 'b', expected: 'B' },
      { line: 5, expected: 'e' },
    ])
    expect(differingLines('a\nx\nb', 'a\nb')).toEqual([{ line: 2, found: 'x' }])
    expect(differingLines('a', 'a')).toEqual([])
  })

  test('of very long texts are at least one', () => {
    const long = (mark: string) => Array.from({ length: 3000 }, (_, index) => `${mark}${index}`).join('\n')
    expect(differingLines(long('a'), long('b'))).toEqual([{ line: 1, found: 'a0', expected: 'b0' }])
  })
})
