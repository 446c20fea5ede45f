import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createJournalReader, openJournal, readJournal } from './index.ts'

async function journalFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-journal-'))
  return { path: join(folder, 'j/journal.ndjson'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const options = { purpose: 'test' }

async function journalOf(path: string, bodies: readonly number[]): Promise<void> {
  await using journal = await openJournal(path, options)
  for (const body of bodies) await journal.append({ body })
}

function bodies(records: readonly { readonly body: unknown }[]): unknown[] {
  return records.map(({ body }) => (body as { body: unknown }).body)
}

test('records come back in order after the journal is closed and opened again', async () => {
  await using folder = await journalFolder()
  await journalOf(folder.path, [1, 2])
  await journalOf(folder.path, [3])
  expect(bodies(await readJournal(folder.path))).toEqual([1, 2, 3])
  expect((await readJournal(folder.path)).map(({ seq }) => seq)).toEqual([1, 2, 3])
})

test('appends made at once are all durable, in the order of the calls', async () => {
  await using folder = await journalFolder()
  await using journal = await openJournal(folder.path, options)
  const seqs = await Promise.all(Array.from({ length: 50 }, (_, body) => journal.append({ body })))
  expect(seqs).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  expect(bodies(await readJournal(folder.path))).toEqual(Array.from({ length: 50 }, (_, body) => body))
})

test('a torn last line is cut off, wherever it was torn, and the journal goes on', async () => {
  await using folder = await journalFolder()
  await journalOf(folder.path, [1, 2])
  const whole = (await readFile(folder.path)).length
  const firstLine = (await readFile(folder.path)).indexOf(0x0a) + 1
  for (let length = whole - 1; length > firstLine; length--) {
    await truncate(folder.path, length)
    expect(bodies(await readJournal(folder.path)), `cut to ${length} bytes`).toEqual([1])
    await journalOf(folder.path, [3])
    expect(bodies(await readJournal(folder.path)), `cut to ${length} bytes`).toEqual([1, 3])
    await truncate(folder.path, firstLine)
    await journalOf(folder.path, [2])
  }
})

test('a last line whose data never arrived (zero bytes) is cut off', async () => {
  await using folder = await journalFolder()
  await journalOf(folder.path, [1])
  const text = await readFile(folder.path)
  await writeFile(folder.path, Buffer.concat([text, Buffer.alloc(40), Buffer.from('\n')]))
  await using journal = await openJournal(folder.path, options)
  expect(bodies(journal.records)).toEqual([1])
})

test.for([
  { given: 'a changed byte', change: (text: string) => text.replace('"body":2', '"body":7'), line: 2 },
  { given: 'a changed byte in the last line', change: (text: string) => text.replace('"body":3', '"body":7'), line: 3 },
  { given: 'a missing line', change: (text: string) => text.split('\n').toSpliced(1, 1).join('\n'), line: 2 },
  { given: 'two lines swapped', change: (text: string) => swap(text, 0, 1), line: 1 },
  { given: 'a line that is no JSON', change: (text: string) => text.replace('"seq":2', 'seq'), line: 2 },
])('$given is damage, named by file and line', async ({ change, line }) => {
  await using folder = await journalFolder()
  await journalOf(folder.path, [1, 2, 3])
  const text = await readFile(folder.path, 'utf8')
  const changed = change(text)
  expect(changed).not.toBe(text)
  await writeFile(folder.path, changed)
  const damaged = { code: 'journal-damaged', details: { file: folder.path, line } }
  await expect(openJournal(folder.path, options)).rejects.toMatchObject(damaged)
  await expect(readJournal(folder.path)).rejects.toMatchObject(damaged)
  // Nothing was cut: it is evidence.
  expect(await readFile(folder.path, 'utf8')).toBe(changed)
})

test('a journal that is open has one writer', async () => {
  await using folder = await journalFolder()
  await using first = await openJournal(folder.path, options)
  expect(first.records).toEqual([])
  await expect(openJournal(folder.path, options)).rejects.toMatchObject({ code: 'run-busy', details: { pid: process.pid } })
})

test('a journal that could not be opened is not left locked', async () => {
  await using folder = await journalFolder()
  await journalOf(folder.path, [1, 2])
  const text = await readFile(folder.path, 'utf8')
  await writeFile(folder.path, text.replace('"body":1', '"body":9'))
  await expect(openJournal(folder.path, options)).rejects.toMatchObject({ code: 'journal-damaged' })
  await writeFile(folder.path, text)
  await journalOf(folder.path, [3])
  expect(await readdir(`${folder.path}.lock`)).toHaveLength(1)
})

function swap(text: string, a: number, b: number): string {
  const lines = text.split('\n')
  return lines.map((line, index) => (index === a ? lines[b] : index === b ? lines[a] : line)).join('\n')
}

test('a reader gives what is new, leaves a line that is being written for later, and reads the first record alone', async () => {
  await using folder = await journalFolder()
  const reader = createJournalReader(folder.path)
  expect([await reader.readOn(), await reader.first()]).toEqual([[], undefined])
  await journalOf(folder.path, [1, 2])
  expect(bodies(await reader.readOn())).toEqual([1, 2])
  await journalOf(folder.path, [3, 4])
  const whole = await readFile(folder.path)
  await truncate(folder.path, whole.length - 3)
  expect(bodies(await reader.readOn())).toEqual([3])
  await writeFile(folder.path, whole)
  expect(await reader.readOn()).toMatchObject([{ seq: 4, body: { body: 4 } }])
  expect(await reader.readOn()).toEqual([])
  expect(await reader.first()).toMatchObject({ seq: 1, body: { body: 1 } })
})

test('a first record that is longer than one read is read whole', async () => {
  await using folder = await journalFolder()
  {
    await using journal = await openJournal(folder.path, options)
    await journal.append({ body: 'x'.repeat(200_000) })
    await journal.append({ body: 2 })
  }
  expect(await createJournalReader(folder.path).first()).toMatchObject({ seq: 1, body: { body: 'x'.repeat(200_000) } })
})

test('damage behind what was read already is told with its line and byte', async () => {
  await using folder = await journalFolder()
  await journalOf(folder.path, [1])
  const reader = createJournalReader(folder.path)
  await reader.readOn()
  const { length } = await readFile(folder.path)
  await journalOf(folder.path, [2, 3])
  const text = await readFile(folder.path, 'utf8')
  await writeFile(folder.path, text.replace('{"body":2}', '{"body":9}'))
  await expect(reader.readOn()).rejects.toMatchObject({ code: 'journal-damaged', details: { line: 2, offset: length } })
})

test('a journal that somebody has written anew, with spaces and other order, is read as long as it says the same', async () => {
  await using folder = await journalFolder()
  {
    await using journal = await openJournal(folder.path, options)
    await journal.append({ b: 1, a: 2 })
  }
  const { sum } = JSON.parse(await readFile(folder.path, 'utf8')) as { sum: string }
  await writeFile(folder.path, `{"seq": 1, "sum": "${sum}", "body": {"b": 1, "a": 2}}\n`)
  expect(await readJournal(folder.path)).toEqual([{ seq: 1, body: { b: 1, a: 2 } }])
  await writeFile(folder.path, `{"seq": 1, "sum": "${sum}", "body": {"b": 1, "a": 3}}\n`)
  await expect(readJournal(folder.path)).rejects.toMatchObject({ code: 'journal-damaged' })
})
