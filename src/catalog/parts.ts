import { dirname, join, relative } from 'node:path'
import { isHoldfastError, messageOf, systemCode } from '../kernel/index.ts'
import { isPlainMap, type Finding, type Path } from './finding.ts'
import { filesOf, includeSchema, isCode } from './include.ts'
import { readCatalogFile, type CatalogText } from './read-file.ts'
import { readYamlKept } from './kept-yaml.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

const maxFiles = 2000

/** One file of a catalog. */
export interface CatalogPart {
  /** Absolute. */
  readonly file: string
  /** As it is called in messages. */
  readonly shown: string
  readonly text: string
  readonly source: YamlSource
  /** Offsets of the whole catalog begin here in this file: no two files share one. */
  readonly base: number
}

/** The files of a catalog, the one that was named first; and what is wrong with how they name each other, at offsets of the whole. */
export interface CatalogParts {
  readonly parts: readonly [CatalogPart, ...CatalogPart[]]
  readonly findings: readonly Finding[]
}

/** Reads what a catalog's first file includes, and what that includes. Throws only when reading is interrupted. */
export async function readParts(main: Omit<CatalogPart, 'base'>, signal?: AbortSignal): Promise<CatalogParts> {
  const first = { ...main, base: 0 }
  const reader = new PartReader(first, signal)
  await reader.follow(first, [first.file])
  return { parts: [first, ...reader.others], findings: reader.findings }
}

class PartReader {
  readonly others: CatalogPart[] = []
  readonly findings: Finding[] = []
  readonly #main: CatalogPart
  readonly #signal: AbortSignal | undefined
  readonly #known = new Set<string>()
  #end: number

  constructor(main: CatalogPart, signal: AbortSignal | undefined) {
    this.#main = main
    this.#signal = signal
    this.#known.add(main.file)
    this.#end = main.text.length + 1
  }

  /** `trail`: the files that led here, this one last. */
  async follow(part: CatalogPart, trail: readonly string[]): Promise<void> {
    const written = isPlainMap(part.source.value) ? part.source.value.include : undefined
    if (written === undefined) return
    const includes = includeSchema.safeParse(written)
    // What the first file says is checked with the rest of it.
    if (!includes.success && part !== this.#main)
      this.#find(part, ['include'], { code: 'wrong-type', message: 'include is no list of paths' })
    for (const [index, include] of (includes.data ?? []).entries()) {
      this.#signal?.throwIfAborted()
      const files = await filesOf(include, { from: part.file, root: dirname(this.#main.file) })
      if ('code' in files) this.#find(part, ['include', index], files)
      else for (const file of files) await this.#add(file, part, index, trail)
    }
  }

  async #add(file: string, by: CatalogPart, index: number, trail: readonly string[]): Promise<void> {
    const place: Path = ['include', index]
    if (trail.includes(file)) {
      const cycle = [...trail.slice(trail.indexOf(file)), file].map((each) => relative(dirname(this.#main.file), each))
      return this.#find(by, place, {
        code: 'include-cycle',
        message: `files include each other: ${cycle.join(' → ')}`,
        hint: 'take one of these out; a pattern such as *.yaml fits the file itself too',
      })
    }
    // Two patterns may fit it: it is read once.
    if (this.#known.has(file)) return
    this.#known.add(file)
    if (isCode(file))
      return this.#find(by, place, {
        code: 'wrong-value',
        message: `${relative(dirname(this.#main.file), file)} is code, and only YAML can be included`,
        hint: 'name it with --catalog, and let it import the rest',
      })
    if (this.others.length >= maxFiles)
      return this.#find(by, place, { code: 'too-large', message: `more than ${maxFiles} files are included` })
    const read = await readIncluded(file)
    if ('because' in read)
      return this.#find(by, place, { code: 'include-missing', message: read.because, hint: 'look who may read it' })
    const part = this.#partOf(file, read)
    this.others.push(part)
    await this.follow(part, [...trail, file])
  }

  #partOf(file: string, { text, wrong }: CatalogText): CatalogPart {
    const base = this.#end
    const part = {
      file,
      shown: join(dirname(this.#main.shown), relative(dirname(this.#main.file), file)),
      text,
      // What cannot be read is not empty: what it says would be missed everywhere.
      source: wrong === undefined ? readYamlKept(text, this.#main.file) : { ...readYaml(''), readable: false },
      base,
    }
    this.#end += text.length + 1
    if (wrong !== undefined) this.findings.push({ ...wrong, offset: base + wrong.offset })
    this.findings.push(...part.source.findings.map((finding) => ({ ...finding, offset: base + finding.offset })))
    return part
  }

  #find(part: CatalogPart, path: Path, finding: Omit<Finding, 'offset'>): void {
    this.findings.push({ ...finding, offset: part.base + part.source.valueOffset(path) })
  }
}

async function readIncluded(file: string): Promise<CatalogText | { readonly because: string }> {
  try {
    return await readCatalogFile(file)
  } catch (error) {
    if (isHoldfastError(error) || systemCode(error) !== undefined) return { because: messageOf(error) }
    throw error
  }
}
