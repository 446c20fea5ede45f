import { relative, resolve } from 'node:path'
import type { z } from 'zod'
import { canonicalJson, HoldfastError, sha256Hex } from '../kernel/index.ts'
import { buildCatalog } from './build.ts'
import { mergeParts, type CatalogSource } from './catalog-source.ts'
import { detectionFindings } from './detection.ts'
import { isCode } from './include.ts'
import { describedSchema, type SchemaNode } from './json-schema.ts'
import { readParts } from './parts.ts'
import { maskSecrets, plainSecrets } from './plain-secrets.ts'
import { maintenanceFindings } from './maintenance-findings.ts'
import { escalationFindings } from './people.ts'
import { readCatalogFile } from './read-file.ts'
import { referenceFindings } from './references.ts'
import { runCode } from './run-code.ts'
import type { KnownParams } from './schema-call.ts'
import { catalogSchema, type CatalogFile } from './schema.ts'
import { isKnownSound, keepSound } from './kept-verdict.ts'
import { serviceFindings } from './services.ts'
import { stepFindings } from './steps.ts'
import { strategyFindings } from './strategy-findings.ts'
import { subPlanFindings } from './sub-plans.ts'
import { structureFindings } from './structure.ts'
import { tierFindings } from './tiers.ts'
import type { CatalogProblem, CatalogWarning } from './problem.ts'
import { catalogWarnings } from './warnings.ts'
import type { Catalog } from './types.ts'
import { isPlainMap, type Finding } from './finding.ts'
import { keepYaml, readYamlKept } from './kept-yaml.ts'
import { drillFindings } from './drill-findings.ts'

/** What plans and experiments may call. */
export interface KnownCalls {
  /**
   * The parameters of each known action. With them, an unknown action or wrong parameters are problems; without them, any action is
   * accepted.
   */
  readonly actionParams?: KnownParams
  /** The same of faults, for experiments. */
  readonly faultParams?: KnownParams
}

export interface CatalogOptions extends KnownCalls {
  /** Gives what may be called once it is asked for, where that takes long to load. */
  readonly calls?: () => Promise<KnownCalls>
  /**
   * Changes with anything that the program checks a catalog for. With it, this machine keeps that a catalog was found sound by this program, and files of
   * the same hashes are not checked by it again. Without it, nothing is kept.
   */
  readonly program?: string | undefined
  /** For what is accepted until a day. */
  readonly now?: Date
}

/** A catalog, or everything that is wrong with it, in the order of its files. */
export type CatalogCheck =
  | {
      readonly valid: true
      readonly catalog: Catalog
      /** What the lints say, in the order of the files. */
      readonly warnings: readonly CatalogWarning[]
    }
  | {
      readonly valid: false
      readonly file: string
      readonly problems: readonly CatalogProblem[]
      /** The lines of each file, by its name in the problems, secrets masked: for showing parts of them. */
      readonly lines: Readonly<Record<string, readonly string[]>>
    }

/** Reads and checks a catalog with all that it includes. Throws `catalog-not-found` when there is no such file. */
export async function checkCatalog(path: string, options: CatalogOptions = {}, signal?: AbortSignal): Promise<CatalogCheck> {
  signal?.throwIfAborted()
  const file = resolve(path)
  const { text, wrong } = await readCatalogFile(file)
  signal?.throwIfAborted()
  if (wrong !== undefined) {
    const lineEnds = text.slice(0, wrong.offset).split('\n')
    const at = { file: path, line: lineEnds.length, column: (lineEnds.at(-1)?.length ?? 0) + 1 }
    return { valid: false, file: path, problems: [problem(wrong, at)], lines: {} }
  }
  const source = mergeParts(
    await readParts(
      { file, shown: path, text, source: isCode(file) ? await runCode(file, text, signal) : readYamlKept(text, file) },
      signal,
    ),
  )
  const value = withoutExtensions(source.value)
  const isSound = source.findings.length === 0 && isKnownSound(source.parts, options.program)
  const secrets = isSound ? [] : source.parts.map((part) => ({ part, found: plainSecrets(part.source.value, part.source) }))
  const findings =
    isSound || !isWhole(source)
      ? source.findings
      : [
          ...source.findings,
          ...contentFindings(
            value,
            source,
            compile((await options.calls?.()) ?? options),
            secrets.flatMap(({ part, found }) =>
              found.map(({ finding }) => ({ ...finding, offset: part.base + finding.offset })),
            ),
          ),
        ]
  if (findings.length > 0) {
    const problems = inOrder(findings).map((finding) => problem(finding, source.place(finding.offset)))
    const lines = secrets.map(
      ({ part, found }) => [part.shown, maskSecrets(part.text, found, part.source).split(/\r?\n/)] as const,
    )
    return { valid: false, file: path, problems, lines: Object.fromEntries(lines) }
  }
  await keepYaml(isCode(file) ? [] : source.parts, file)
  if (!isSound) await keepSound(source.parts, options.program)
  // Parsed without the parameters of actions and faults: these stay as written, outputs of steps and all.
  const asWritten = compile({}).schema.parse(value) as CatalogFile
  const catalog = buildCatalog(asWritten, { file, source, hash: hashOf(value, source) })
  let warnings: readonly CatalogWarning[] | undefined
  return {
    valid: true,
    catalog,
    // Most commands do not ask, and in a large catalog the lints take longer than reading it.
    get warnings() {
      return (warnings ??= catalogWarnings(catalog, source, options.now ?? new Date()))
    },
  }
}

/** Whether all of it could be read: what is not there would be missed everywhere. */
function isWhole({ readable, findings }: CatalogSource): boolean {
  return readable && !findings.some(({ code }) => code === 'too-large' || code === 'alias-loop' || code.startsWith('include-'))
}

/** What the catalog says, however it is divided into files of one folder; in another, a relative path is another path, and which texts are paths is not looked at. */
function hashOf(value: unknown, { elsewhere }: CatalogSource): string {
  const { include: _, ...said } = isPlainMap(value) ? value : {}
  return sha256Hex(canonicalJson(Object.keys(elsewhere).length === 0 ? said : { said, elsewhere }))
}

/**
 * Reads a catalog. Throws `catalog-not-found`, or `catalog-invalid` with everything that is wrong: in its message for people, in
 * `details.problems` as CatalogProblem[] for programs.
 */
export async function loadCatalog(path: string, options: CatalogOptions = {}, signal?: AbortSignal): Promise<Catalog> {
  return requireValid(await checkCatalog(path, options, signal)).catalog
}

/** A check that found nothing wrong. Throws `catalog-invalid` with everything that is, as `loadCatalog` does. */
export function requireValid(check: CatalogCheck): Extract<CatalogCheck, { valid: true }> {
  if (check.valid) return check
  const { problems, file } = check
  const shown = problems.slice(0, 10).map((each) => `\n  ${problemLine(each)}`)
  const more = problems.length > shown.length ? `\n  and ${problems.length - shown.length} more` : ''
  throw new HoldfastError('catalog-invalid', {
    message: `${shortPath(file)} is not a valid catalog:${shown.join('')}${more}`,
    hint: `\`holdfast validate ${shortPath(file)}\` shows each in its place`,
    details: { file, problems },
  })
}

/** `holdfast.yaml:12:9: services.api.owner is the number 5 (expected text)`. */
export function problemLine({ file, line, column, message }: Omit<CatalogProblem, 'code'>): string {
  return `${shortPath(file)}:${line}:${column}: ${message}`
}

function shortPath(file: string): string {
  const short = relative(process.cwd(), resolve(file))
  return short === '' || short.startsWith('..') ? file : short
}

function contentFindings(
  value: unknown,
  source: CatalogSource,
  { schema, described }: Compiled,
  secrets: readonly Finding[],
): Finding[] {
  if (value === undefined || value === null)
    return [
      {
        code: 'empty',
        offset: 0,
        message: 'the catalog is empty',
        expected: 'version, name, sites and services',
        hint: '`holdfast init` writes a starter to begin with',
      },
    ]
  // A value that is a secret in plain text, or was not readable, is not reported a second time for its type.
  const reported = new Set([...secrets, ...source.findings].map(({ offset }) => offset))
  const structure = structureFindings(schema, described, value, source).filter(
    ({ offset, code }) => code === 'unknown-key' || code === 'missing' || !reported.has(offset),
  )
  return [
    ...structure,
    ...secrets,
    ...referenceFindings(described, value, source),
    ...serviceFindings(value, source),
    ...tierFindings(value, source),
    ...escalationFindings(value, source),
    ...stepFindings(value, source),
    ...detectionFindings(value, source),
    ...subPlanFindings(value, source),
    ...drillFindings(value, source),
    ...strategyFindings(value, source),
    ...maintenanceFindings(value, source),
  ]
}

interface Compiled {
  readonly schema: z.ZodType
  readonly described: SchemaNode
}

const none: KnownParams = {}
const compiled = new WeakMap<KnownParams, WeakMap<KnownParams, Compiled>>()

function compile({ actionParams, faultParams }: KnownCalls): Compiled {
  const ofActions = compiled.getOrInsertComputed(actionParams ?? none, () => new WeakMap())
  return ofActions.getOrInsertComputed(faultParams ?? none, () => {
    const schema = catalogSchema(actionParams, faultParams)
    let described: SchemaNode | undefined
    return {
      schema,
      get described() {
        return (described ??= describedSchema(schema))
      },
    }
  })
}

/** Without the keys that begin with `x-`: they are places for anchors. */
function withoutExtensions(value: unknown): unknown {
  return isPlainMap(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-'))) : value
}

/** By place; what is said twice of one place is said once. */
function inOrder(findings: readonly Finding[]): Finding[] {
  const said = new Set<string>()
  return findings
    .filter(({ offset, message }) => !said.has(`${offset} ${message}`) && said.add(`${offset} ${message}`))
    .toSorted((a, b) => a.offset - b.offset)
}

function problem(
  { code, message, expected, hint }: Omit<Finding, 'offset'>,
  at: Pick<CatalogProblem, 'file' | 'line' | 'column'>,
): CatalogProblem {
  return { code, ...at, message, ...(expected === undefined ? {} : { expected }), ...(hint === undefined ? {} : { hint }) }
}
