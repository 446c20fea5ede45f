import { dirname, relative } from 'node:path'
import { isPlainMap, type Finding, type Path } from './finding.ts'
import { ofWholeCatalog } from './include.ts'
import type { CatalogPart, CatalogParts } from './parts.ts'
import { sectionKind } from './section-kind.ts'
import type { YamlSource } from './yaml-source.ts'

/** All files of a catalog as one: values put together, and the way back from each to its place in its file. */
export interface CatalogSource extends Omit<YamlSource, 'lineColumn'> {
  readonly parts: CatalogParts['parts']
  /** Where an offset is, as messages show it. */
  place(offset: number): { readonly file: string; readonly line: number; readonly column: number }
  /** The folder of the file that an entry of a section stands in: relative paths in it begin there. */
  directoryOf(section: string, name: string): string
  /** Folders of entries that do not stand in the folder of the first file, relative to that. Empty for most. */
  readonly elsewhere: Readonly<Record<string, Readonly<Record<string, string>>>>
}

type Entries = Map<string, { readonly part: CatalogPart; readonly key: string | number }>

/** Puts the sections of all files together. */
export function mergeParts({ parts, findings }: CatalogParts): CatalogSource {
  const [main] = parts
  const merger = new Merger()
  for (const part of parts) merger.add(part, part === main)
  const { value, owners, sections } = merger
  const locate = (path: Path): { part: CatalogPart; local: Path } => {
    const [section = '', name, ...rest] = path
    const entry = name === undefined ? undefined : owners.get(String(section))?.get(String(name))
    if (entry === undefined) return { part: sections.get(String(section)) ?? main, local: path }
    return { part: entry.part, local: [section, entry.key, ...rest] }
  }
  const partAt = (offset: number) => parts.findLast(({ base }) => base <= offset) ?? main
  const elsewhere: Record<string, Record<string, string>> = {}
  for (const [section, entries] of owners) {
    for (const [name, { part }] of entries) {
      const folder = relative(dirname(main.file), dirname(part.file))
      if (folder !== '') (elsewhere[section] ??= {})[name] = folder
    }
  }
  return {
    parts,
    value: main.source.readable && !isPlainMap(main.source.value) ? main.source.value : value,
    findings: [...main.source.findings, ...findings, ...merger.findings],
    readable: parts.every(({ source }) => source.readable),
    elsewhere,
    keyOffset: (path) => {
      const { part, local } = locate(path)
      return part.base + part.source.keyOffset(local)
    },
    valueOffset: (path) => {
      const { part, local } = locate(path)
      return part.base + part.source.valueOffset(local)
    },
    written: (path) => {
      const { part, local } = locate(path)
      const found = part.source.written(local)
      return found && { ...found, offset: part.base + found.offset }
    },
    place: (offset) => {
      const part = partAt(offset)
      return { file: part.shown, ...part.source.lineColumn(offset - part.base) }
    },
    directoryOf: (section, name) => dirname((owners.get(section)?.get(name)?.part ?? main).file),
  }
}

class Merger {
  readonly value: Record<string, unknown> = {}
  readonly findings: Finding[] = []
  /** Of sections that hold entries: whose each is. */
  readonly owners = new Map<string, Entries>()
  /** Where each section is written first. */
  readonly sections = new Map<string, CatalogPart>()

  add(part: CatalogPart, isMain: boolean): void {
    const { value } = part.source
    if (!isPlainMap(value)) {
      // A file with nothing but comments adds nothing.
      if (!isMain && value !== undefined && value !== null)
        this.#wrong(part, [], 'it is no map', 'a map with sections of a catalog')
      return
    }
    for (const [section, content] of Object.entries(value)) {
      // Anchors are the file's own, and so is what it includes.
      if (!isMain && (section.startsWith('x-') || section === 'include')) continue
      if (!isMain && section === 'version') this.#checkVersion(part, content)
      else if (!isMain && ofWholeCatalog.has(section)) this.#misplaced(part, section)
      else this.#addSection(part, section, content)
    }
  }

  #addSection(part: CatalogPart, section: string, content: unknown): void {
    const first = this.sections.get(section)
    const kind = sectionKind(section)
    const byName = kind === 'entries' && isPlainMap(content)
    const listed = kind === 'list' && Array.isArray(content) && section !== 'include'
    if (first === undefined) {
      this.sections.set(section, part)
      this.value[section] = byName ? {} : listed ? [] : content
    } else if (content === null || content === undefined) return
    else if (this.value[section] === null) this.value[section] = byName ? {} : listed ? [] : content
    const merged = this.value[section]
    if (byName && isPlainMap(merged)) return this.#addEntries(part, section, content, merged)
    if (listed && Array.isArray(merged)) return this.#addItems(part, section, content, merged)
    if (first !== undefined) this.#repeated(part, [section], first, [section])
  }

  #addEntries(
    part: CatalogPart,
    section: string,
    content: Readonly<Record<string, unknown>>,
    merged: Record<string, unknown>,
  ): void {
    const entries = this.owners.getOrInsertComputed(section, () => new Map())
    for (const [name, entry] of Object.entries(content)) {
      const known = entries.get(name)
      if (known !== undefined) {
        this.#repeated(part, [section, name], known.part, [section, known.key])
        continue
      }
      entries.set(name, { part, key: name })
      merged[name] = entry
    }
  }

  #addItems(part: CatalogPart, section: string, content: readonly unknown[], merged: unknown[]): void {
    const entries = this.owners.getOrInsertComputed(section, () => new Map())
    for (const [key, item] of content.entries()) {
      entries.set(String(merged.length), { part, key })
      merged.push(item)
    }
  }

  #checkVersion(part: CatalogPart, version: unknown): void {
    if (version !== 1)
      this.#wrong(part, ['version'], `version is ${JSON.stringify(version)}`, '1, as in the file that includes it')
  }

  #misplaced(part: CatalogPart, section: string): void {
    this.findings.push({
      code: 'unknown-key',
      offset: part.base + part.source.keyOffset([section]),
      message: `${section} is that of the whole catalog, and this file is a part of it`,
      hint: 'write it in the file that includes this one',
    })
  }

  #repeated(part: CatalogPart, path: Path, first: CatalogPart, firstPath: Path): void {
    const { line } = first.source.lineColumn(first.source.keyOffset(firstPath))
    this.findings.push({
      code: 'duplicate-entry',
      offset: part.base + part.source.keyOffset(path),
      message: `${path.join('.')} is in ${first.shown}:${line} too`,
      hint: 'remove one of the two, or give it another name',
    })
  }

  #wrong(part: CatalogPart, path: Path, message: string, expected: string): void {
    this.findings.push({ code: 'wrong-value', offset: part.base + part.source.valueOffset(path), message, expected })
  }
}
