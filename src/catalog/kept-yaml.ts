import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isHoldfastError, sha256Hex, stateDirectory, systemCode, writeFileDurably } from '../kernel/index.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

/** Texts of this length and more are kept, in characters: below it, parsing is as good as free. */
const large = 64 * 1024
/** Changes when readYaml gives other values for a text, so that what was kept before is not taken for what it says now. */
const reading = 1
/** So many are kept, the newest: a catalog that is edited leaves one for each state of it. */
const mostKept = 64

/**
 * As readYaml. What a large text says is looked up in what this machine has kept of it, by the hash of the text: parsing a catalog of a thousand services
 * takes longer than any question about them. Places in the text are looked for in the text itself, which is parsed when somebody asks for one.
 */
export function readYamlKept(text: string, catalogFile: string): YamlSource {
  const kept = text.length < large ? undefined : readKept(keptFile(text, catalogFile))
  if (kept === undefined) return readYaml(text)
  let parsed: YamlSource | undefined
  const source = () => (parsed ??= readYaml(text))
  return {
    value: kept.value,
    findings: [],
    readable: true,
    keyOffset: (path) => source().keyOffset(path),
    valueOffset: (path) => source().valueOffset(path),
    written: (path) => source().written(path),
    lineColumn: (offset) => source().lineColumn(offset),
  }
}

/**
 * Keeps what large texts of a valid catalog say: of one that is not, there may be secrets in it. Only where Holdfast keeps something already, and nothing is
 * wrong where it cannot.
 */
export async function keepYaml(
  parts: readonly { readonly text: string; readonly source: YamlSource }[],
  catalogFile: string,
): Promise<void> {
  if (!existsSync(stateDirectory(catalogFile))) return
  const news = parts.filter(({ text }) => text.length >= large && !existsSync(keptFile(text, catalogFile)))
  for (const { text, source } of news) {
    const value = JSON.stringify(source.value)
    // Aliases of aliases stand for more than is worth keeping.
    if (value.length > 4 * text.length) continue
    try {
      await mkdir(keptFolder(catalogFile), { recursive: true, mode: 0o700 })
      await writeFileDurably(keptFile(text, catalogFile), `${sha256Hex(value)}\n${value}`)
      removeOldest(keptFolder(catalogFile))
    } catch (error) {
      if (!isHoldfastError(error) && systemCode(error) === undefined) throw error
      return
    }
  }
}

function keptFolder(catalogFile: string): string {
  return join(stateDirectory(catalogFile), 'cache', 'catalog')
}

function keptFile(text: string, catalogFile: string): string {
  return join(keptFolder(catalogFile), `${sha256Hex(text)}-${reading}.json`)
}

/** Undefined where there is none, or where it is not what was written. */
function readKept(file: string): { readonly value: unknown } | undefined {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
  const end = content.indexOf('\n')
  const value = content.slice(end + 1)
  if (end < 0 || sha256Hex(value) !== content.slice(0, end)) {
    rmSync(file, { force: true })
    return undefined
  }
  return { value: JSON.parse(value) as unknown }
}

function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
  for (const { path } of files.toSorted((a, b) => b.at - a.at).slice(mostKept)) rmSync(path, { force: true })
}
