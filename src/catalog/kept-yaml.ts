import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keepChecked, readChecked, sha256Hex, stateDirectory, systemCode } from '../kernel/index.ts'
import { isPlainMap, type Path } from './finding.ts'
import { lineColumnsOf, readYaml, type YamlSource } from './yaml-source.ts'

/** Texts of this length and more are kept, in characters: below it, parsing is as good as free. */
const large = 64 * 1024
/** Changes when readYaml gives other values for a text, so that what was kept before is not taken for what it says now. */
const reading = 2
/** So many are kept, the newest: a catalog that is edited leaves one for each state of it. */
const mostKept = 64

/** Nobody writes for so long: what has not become a file by then was left by a crash. */
const leftAfterMs = 3_600_000

/** Where a key and its value begin, and the same of what is in the value: of a map by its keys, of a list in order. */
type Places = readonly [key: number, value: number, within?: Readonly<Record<string, Places>> | readonly Places[]]

interface Kept {
  readonly value: unknown
  readonly places: Places
}

/**
 * As readYaml. What a large text says, and where, is looked up in what this machine has kept of it, by the hash of the text: parsing a catalog of a thousand
 * services takes longer than any question about them.
 */
export function readYamlKept(text: string, catalogFile: string): YamlSource {
  const content = text.length < large ? undefined : readChecked(keptFile(text, catalogFile))
  if (content === undefined) return readYaml(text)
  const { value, places } = JSON.parse(content) as Kept
  return {
    value,
    findings: [],
    readable: true,
    keyOffset: (path) => placesAt(places, path)[0],
    valueOffset(path) {
      const [key, at] = placesAt(places, path)
      return isThere(places, path) ? at : key
    },
    // For showing what is wrong, and nothing is.
    written: (path) => readYaml(text).written(path),
    lineColumn: lineColumnsOf(text),
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
    const { value } = source
    // Nothing but comments; and aliases of aliases stand for more than is worth keeping.
    if (value === undefined || JSON.stringify(value).length > 4 * text.length) continue
    const kept: Kept = { value, places: placesOf(value, source, []) }
    if (!(await keepChecked(keptFile(text, catalogFile), JSON.stringify(kept)))) return
    try {
      removeOldest(keptFolder(catalogFile))
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
  }
}

function placesOf(value: unknown, source: YamlSource, path: Path): Places {
  const [key, at] = [source.keyOffset(path), source.valueOffset(path)]
  if (Array.isArray(value)) return [key, at, value.map((item: unknown, index) => placesOf(item, source, [...path, index]))]
  if (!isPlainMap(value)) return [key, at]
  return [
    key,
    at,
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, placesOf(member, source, [...path, name])])),
  ]
}

/** Of the nearest place above, where there is none at this path. */
function placesAt(places: Places, [part, ...rest]: Path): Places {
  const within = part === undefined ? undefined : member(places, part)
  return within === undefined ? places : placesAt(within, rest)
}

function isThere(places: Places, [part, ...rest]: Path): boolean {
  if (part === undefined) return true
  const within = member(places, part)
  return within !== undefined && isThere(within, rest)
}

function member([, , within = {}]: Places, part: string | number): Places | undefined {
  if (Array.isArray(within)) return (within as readonly Places[])[Number(part)]
  return Object.hasOwn(within, part) ? (within as Readonly<Record<string, Places>>)[part] : undefined
}

function keptFolder(catalogFile: string): string {
  return join(stateDirectory(catalogFile), 'cache', 'catalog')
}

function keptFile(text: string, catalogFile: string): string {
  return join(keptFolder(catalogFile), `${sha256Hex(text)}-${reading}.json`)
}

/** Others may be writing and removing here at the same time: what is gone when it is looked at is no matter. */
function removeOldest(folder: string): void {
  const files = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    const at = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    return at === undefined ? [] : [{ path, at, isWhole: name.endsWith('.json') }]
  })
  const whole = files.filter(({ isWhole }) => isWhole).toSorted((a, b) => b.at - a.at)
  const left = files.filter(({ at, isWhole }) => !isWhole && Date.now() - at > leftAfterMs)
  for (const { path } of [...whole.slice(mostKept), ...left]) rmSync(path, { force: true })
}
