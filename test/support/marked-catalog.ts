import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCatalog, type Catalog, type CatalogCheck, type CatalogOptions } from '../../src/catalog/index.ts'

/** Stands before a place where a problem is expected; removed before the catalog is read. */
export const mark = '‸'

/** Checks a text as a catalog in a folder of its own. */
export async function checkText(text: string | Uint8Array, options: CatalogOptions = {}): Promise<CatalogCheck> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-catalog-'))
  try {
    const file = join(folder, 'holdfast.yaml')
    await writeFile(file, text)
    return await checkCatalog(file, options)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The catalog that a text is; throws what is wrong with it. */
export async function catalogOf(text: string): Promise<Catalog> {
  const check = await checkText(text)
  if (!check.valid) throw new Error(JSON.stringify(check.problems, undefined, 1))
  return check.catalog
}

/** The text without its marks, and the places of the marks as `line:column`. */
export function unmark(marked: string): { readonly text: string; readonly places: readonly string[] } {
  const pieces = marked.split(mark)
  const places = pieces.slice(1).map((_, index) => {
    const lines = pieces
      .slice(0, index + 1)
      .join('')
      .split('\n')
    return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`
  })
  return { text: pieces.join(''), places }
}

export interface CheckedText {
  /** `line:column` of each problem. */
  readonly places: readonly string[]
  readonly codes: readonly string[]
  /** Everything that is said about them. */
  readonly said: string
}

export async function problemsOf(text: string | Uint8Array, options: CatalogOptions = {}): Promise<CheckedText> {
  const check = await checkText(text, options)
  const problems = check.valid ? [] : check.problems
  return {
    places: problems.map(({ line, column }) => `${line}:${column}`),
    codes: problems.map(({ code }) => code),
    said: problems.map(({ message, expected, hint }) => [message, expected, hint].join(' | ')).join('\n'),
  }
}

export interface CatalogParts {
  readonly head?: string
  readonly repository?: string
  /** Members of the service `db`, instead of owner, site and objectives. */
  readonly db?: string
  /** Further members of the service `db`. */
  readonly more?: string
  /** Further services. */
  readonly services?: string
  /** Steps of the plan `back`, which recovers `db`. */
  readonly steps?: string
  /** Faults of the experiment `try`. */
  readonly faults?: string
}

const indented = (text: string, by: number) => text.replaceAll(/^(?=.)/gm, ' '.repeat(by))

/** A valid catalog, but for the parts given. */
export function catalogText({ head, repository, db, more, services, steps, faults }: CatalogParts = {}): string {
  return [
    head ?? 'version: 1\nname: test',
    'sites: { here: {}, there: {} }',
    'repositories:',
    `  nas: ${repository ?? '{ url: /mnt/nas, site: there, password: { env: PW } }'}`,
    'services:',
    `  ${db?.startsWith(mark) ? mark : ''}db:`,
    indented(db?.replace(new RegExp(`^${mark}`), '') ?? 'owner: me\nsite: here\nobjectives: { rpo: 5m, rto: 15m }', 4),
    ...(more === undefined ? [] : [indented(more, 4)]),
    ...(services === undefined ? [] : [indented(services, 2)]),
    ...(steps === undefined ? [] : ['plans:', '  back:', '    recovers: [db]', '    steps:', indented(steps, 6)]),
    ...(faults === undefined
      ? []
      : [
          'experiments:',
          '  try:',
          '    services: [db]',
          '    hypothesis: { title: t, probes: [{ name: p, tcp: "h:1" }] }',
          '    faults:',
          indented(faults, 6),
        ]),
    '',
  ].join('\n')
}
