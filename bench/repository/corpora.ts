import { closeSync, existsSync, mkdirSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pageBytes, SeededBytes } from './bytes.ts'

const MiB = 1024 * 1024

/** Something to back up, the same wherever it is made. */
export interface Corpus {
  readonly name: string
  readonly about: string
  make(folder: string): void
}

/** What a server has: a database, things that are compressed already, and a tree of small files. */
export const mixed: Corpus = {
  name: 'mixed',
  about: '400 MiB of database pages, 200 MiB of random data, 20,000 text files of 1 to 32 KiB',
  make(folder) {
    writePages(join(folder, 'database', 'main.db'), 400 * MiB)
    for (let file = 0; file < 20; file++)
      writeWhole(join(folder, 'media', `${file}.bin`), new SeededBytes(`media ${file}`).random(10 * MiB))
    const bytes = new SeededBytes('texts')
    for (let file = 0; file < 20_000; file++) {
      const size = 1024 + (bytes.random(4).readUInt32LE() % (31 * 1024))
      writeWhole(join(folder, 'texts', String(file % 200), `${file}.txt`), bytes.text(size))
    }
  },
}

export const large: Corpus = {
  name: 'large',
  about: 'one file of 1 GiB of database pages',
  make: (folder) => writePages(join(folder, 'main.db'), 1024 * MiB),
}

export const small: Corpus = {
  name: 'small',
  about: '100,000 files of 100 to 3,000 bytes in 1,000 folders',
  make: (folder) => writeSmall(folder, 100_000, 1000),
}

export const many: Corpus = {
  name: 'many',
  about: '500,000 files of 100 to 3,000 bytes in 5,000 folders',
  make: (folder) => writeSmall(folder, 500_000, 5000),
}

/** 25,000 small files, and so many times more. */
export function filesTimes(times: number): Corpus {
  const [files, folders] = [25_000 * times, 250 * times]
  return {
    name: `${files.toLocaleString('en')} files`,
    about: `${files} files of 100 to 3,000 bytes in ${folders} folders`,
    make: (folder) => writeSmall(folder, files, folders),
  }
}

export const oneFolder: Corpus = {
  name: 'a folder of 1,000,000 files',
  about: '1,000,000 files of 1 to 7 bytes in one folder',
  make(folder) {
    mkdirSync(folder, { recursive: true })
    for (let file = 0; file < 1_000_000; file++) writeFileSync(join(folder, `file-${file}`), String(file))
  },
}

/** Makes it in `parent`, or takes what an earlier run finished there. Gives its folder. */
export function provide(corpus: Corpus, parent: string): string {
  const folder = join(parent, corpus.name)
  const marker = join(parent, `${corpus.name}.complete`)
  if (existsSync(marker)) return folder
  rmSync(folder, { recursive: true, force: true })
  corpus.make(folder)
  writeFileSync(marker, corpus.about)
  return folder
}

function writeSmall(folder: string, files: number, folders: number): void {
  const bytes = new SeededBytes('small files')
  for (let file = 0; file < files; file++) {
    const size = 100 + (bytes.random(4).readUInt32LE() % 2900)
    writeWhole(join(folder, String(file % folders), `file-${file}.txt`), bytes.text(size))
  }
}

function writePages(path: string, size: number): void {
  mkdirSync(join(path, '..'), { recursive: true })
  const bytes = new SeededBytes(path.split('/').at(-1) ?? '')
  const file = openSync(path, 'w')
  for (let page = 0; page < size / pageBytes; page += 1024) writeSync(file, bytes.pages(1024, page))
  closeSync(file)
}

const made = new Set<string>()

function writeWhole(path: string, bytes: Buffer): void {
  const folder = join(path, '..')
  if (!made.has(folder)) mkdirSync(folder, { recursive: true })
  made.add(folder)
  writeFileSync(path, bytes)
  // Programs that compare times shall not find files that are as new as the backup itself.
  utimesSync(path, 1_700_000_000, 1_700_000_000)
}
