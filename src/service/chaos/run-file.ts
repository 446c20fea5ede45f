import { open } from 'node:fs/promises'
import { findService, textsOf, type Catalog } from '../../catalog/index.ts'
import {
  checkExperiment,
  loadVariables,
  mergeVariables,
  readExperimentFile,
  readVariableFile,
  runCtkExperiment,
  withoutSecrets,
  type CtkExperiment,
  type CtkResult,
  type CtkRunOptions,
  type GivenVariables,
} from '../../chaos/index.ts'
import {
  canonicalJson,
  diskFullOr,
  ownIdentity,
  sha256Hex,
  systemClock,
  userName,
  writeFileDurably,
  type Json,
} from '../../kernel/index.ts'
import { newRunId } from '../recovery/prepare.ts'
import { concludeRun, type KeptRun } from './conclude.ts'
import { fileRecord } from './file-record.ts'
import { addToHistory, type ExperimentStatistics } from './history.ts'
import { keptResult } from './kept-result.ts'

export interface FileRunRequest extends Omit<CtkRunOptions, 'clock' | 'onBegin' | 'onEntry' | 'variables'> {
  readonly file: string
  /** Files with variables, of which the later ones count: see readVariableFile. Those of the environment are set for this process. */
  readonly variableFiles?: readonly string[]
  /** Of the configuration; they count more than those of files. */
  readonly configuration?: Readonly<Record<string, Json>>
  /** Where its journal is written at the end; beside it, as JSONL, whatever is known of it as it goes. */
  readonly journal?: string
  readonly onEntry?: (entry: Json) => void
  /** Services of the catalog that it is about: with them it is on record. None: it is not. */
  readonly record?: { readonly catalog: Catalog; readonly services: readonly string[] }
  /** A control that is left out because it is not known: only in strict mode. */
  readonly onUnknownControl?: (name: string, problem: string) => void
}

export interface FinishedFile extends CtkResult, Partial<KeptRun> {
  /** Of one that is on record. */
  readonly runId?: string
}

/**
 * Runs an experiment of Chaos Toolkit, and puts it on record where its services are named. Throws `unknown-service`, `not-found` or `experiment-invalid` before anything is
 * begun.
 */
export async function runExperimentFile(request: FileRunRequest, signal: AbortSignal): Promise<FinishedFile> {
  const { strict, pythonOnly = false, onUnknownControl = () => {}, variableFiles = [], configuration = {}, record } = request
  if (record !== undefined) for (const name of record.services) findService(record.catalog, name)
  const files = await Promise.all(variableFiles.map(readVariableFile))
  const variables = mergeVariables([...files, { configuration }])
  Object.assign(process.env, variables.environment)
  const read = await readExperimentFile(request.file)
  const experiment = await checkExperiment(read, { pythonOnly, ...(strict ? { onUnknownControl } : {}) }, signal)
  await using log = request.journal === undefined ? undefined : await openLog(linesBeside(request.journal))
  const onEntry = async (entry: Json) => {
    request.onEntry?.(entry)
    await log?.append(entry)
  }
  let conclude: Conclude | undefined
  const onBegin = async () => {
    if (record !== undefined) conclude = await beginOnRecord(record, experiment, { request, variables })
  }
  const result = await runCtkExperiment(experiment, { ...request, variables, clock: systemClock, onBegin, onEntry }, signal)
  // Before the journal, which there may be no place for: the outcome must not be lost with it.
  const kept = await conclude?.(result)
  if (request.journal !== undefined) {
    const extension = strict ? {} : { holdfast: { verdict: result.verdict, because: result.because } }
    await writeFileDurably(request.journal, `${JSON.stringify({ ...result.journal, ...extension }, undefined, 2)}\n`, {
      mode: 0o644,
    })
  }
  return { ...kept, ...result }
}

type Conclude = (result: CtkResult) => Promise<KeptRun & { readonly runId: string }>

/** Durable before anything is begun; what comes back is called with the outcome. */
/** Shorter parts of a structured secret, such as a port or the name of an engine, stand in anything that is said. */
const leastPartCharacters = 4

function recognizable(secret: Json): string[] {
  const texts = textsOf(secret)
  return typeof secret === 'object' ? texts.filter(({ length }) => length >= leastPartCharacters) : texts
}

async function beginOnRecord(
  { catalog, services }: NonNullable<FileRunRequest['record']>,
  given: CtkExperiment,
  { request, variables }: { readonly request: FileRunRequest; readonly variables: GivenVariables },
): Promise<Conclude> {
  // No experiment of a catalog has such a name.
  const experiment = `chaostoolkit: ${given.title}`
  const { strict, pythonOnly, dry, hypothesisStrategy, rollbackStrategy, hypothesisEveryMs, failFast } = request
  const how = { strict, pythonOnly, dry, hypothesisStrategy, rollbackStrategy, hypothesisEveryMs, failFast }
  const { configuration } = variables
  const hash = sha256Hex(
    canonicalJson(JSON.parse(JSON.stringify({ experiment: withoutSecrets(given), configuration, how })) as Json),
  )
  const scopes = Object.values(loadVariables(given, variables, strict).secrets)
  const secrets = scopes.flatMap((scope) => Object.values(scope)).flatMap(recognizable)
  const runId = newRunId(`chaos-${given.title}`)
  const by = userName()
  const startedAt = new Date().toISOString()
  const about = { runId, experiment, hash, environment: 'unstated', by } as const
  await addToHistory(catalog.file, { type: 'began', ...about, at: startedAt, process: await ownIdentity() })
  return async (result) => {
    const endedAt = new Date().toISOString()
    const told = keptResult(result, secrets)
    const { verdict, because } = told
    const recordWith = (statistics: ExperimentStatistics) =>
      fileRecord(experiment, { runId, hash, services, by, startedAt, endedAt, statistics }, told)
    const kept = await concludeRun(catalog, { ...about, endedAt, verdict, because, kept: { ...about, ...told }, recordWith })
    return { runId, ...kept }
  }
}

/** `journal.json` → `journal.jsonl`. */
function linesBeside(journal: string): string {
  return journal.endsWith('.json') ? `${journal}l` : `${journal}.jsonl`
}

/** Lines that are on disk, in their order, when `append` returns. */
async function openLog(path: string): Promise<AsyncDisposable & { append(entry: Json): Promise<void> }> {
  const file = await open(path, 'w', 0o644)
  let written = Promise.resolve()
  return {
    append(entry) {
      const line = `${JSON.stringify({ at: new Date().toISOString(), ...(entry as Record<string, Json>) })}\n`
      const appended = written.then(async () => {
        try {
          await file.appendFile(line)
          await file.datasync()
        } catch (error) {
          throw diskFullOr(error, path)
        }
      })
      written = appended.catch(() => {})
      return appended
    },
    async [Symbol.asyncDispose]() {
      await written
      await file.close()
    },
  }
}
