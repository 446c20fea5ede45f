import { open } from 'node:fs/promises'
import {
  checkExperiment,
  mergeVariables,
  readExperimentFile,
  readVariableFile,
  runCtkExperiment,
  type CtkResult,
  type CtkRunOptions,
} from '../../chaos/index.ts'
import { diskFullOr, systemClock, writeFileDurably, type Json } from '../../kernel/index.ts'

export interface FileRunRequest extends Omit<CtkRunOptions, 'clock' | 'onEntry' | 'variables'> {
  readonly file: string
  /** Files with variables, of which the later ones count: see readVariableFile. Those of the environment are set for this process. */
  readonly variableFiles?: readonly string[]
  /** Of the configuration; they count more than those of files. */
  readonly configuration?: Readonly<Record<string, Json>>
  /** Where its journal is written at the end; beside it, as JSONL, whatever is known of it as it goes. */
  readonly journal?: string
  readonly onEntry?: (entry: Json) => void
  /** A control that is left out because it is not known: only in strict mode. */
  readonly onUnknownControl?: (name: string, problem: string) => void
}

/** Runs an experiment of Chaos Toolkit. Throws `not-found` or `experiment-invalid` before anything is begun. */
export async function runExperimentFile(request: FileRunRequest, signal: AbortSignal): Promise<CtkResult> {
  const { strict, onUnknownControl = () => {}, variableFiles = [], configuration = {} } = request
  const files = await Promise.all(variableFiles.map(readVariableFile))
  const variables = mergeVariables([...files, { configuration }])
  Object.assign(process.env, variables.environment)
  const read = await readExperimentFile(request.file)
  const experiment = await checkExperiment(read, strict ? { onUnknownControl } : {}, signal)
  await using log = request.journal === undefined ? undefined : await openLog(linesBeside(request.journal))
  const onEntry = async (entry: Json) => {
    request.onEntry?.(entry)
    await log?.append(entry)
  }
  const result = await runCtkExperiment(experiment, { ...request, variables, clock: systemClock, onEntry }, signal)
  if (request.journal !== undefined) {
    const extension = strict ? {} : { holdfast: { verdict: result.verdict, because: result.because } }
    await writeFileDurably(request.journal, `${JSON.stringify({ ...result.journal, ...extension }, undefined, 2)}\n`, {
      mode: 0o644,
    })
  }
  return result
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
