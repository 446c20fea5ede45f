import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backupBody } from '../../test/support/evidence.ts'
import { sha256Hex } from '../kernel/index.ts'
import { openLedger, type LedgerOptions } from './ledger.ts'
import { createMemoryArea } from './memory-area.ts'
import { decodeRecord, encodeRecord, recordName, type LedgerRecord } from './record.ts'
import { openSigner } from './signing-key.ts'

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-signed-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const id = 'a'.repeat(64)

/** An installation: a folder with its key and what it remembers. */
async function installation(folder: string, name: string, ledger = id) {
  const signer = await openSigner(join(folder, name, 'signing-key.pem'))
  const options: LedgerOptions = {
    id: ledger,
    headFile: join(folder, name, `${ledger}.json`),
    signer: () => Promise.resolve(signer),
    host: name,
  }
  return { signer, options }
}

/** A ledger that two installations wrote by turns, and how a third with their keys verifies it. */
async function signedLedger(folder: string, count: number) {
  const memory = createMemoryArea()
  const writers = [await installation(folder, 'db1'), await installation(folder, 'db2')] as const
  for (let index = 0; index < count; index++)
    await openLedger(memory.area, writers[index % 2 === 0 ? 0 : 1].options).append('backup', backupBody(`s${index}`))
  const knownKeys = new Map(writers.map(({ signer, options }) => [signer.key, options.host ?? '']))
  const verify = (head?: string) => openLedger(memory.area, { id, knownKeys }).verify(head === undefined ? {} : { head })
  const record = (seq: number) => decodeRecord(memory.objects.get(recordName(seq)) ?? new Uint8Array()) as LedgerRecord
  const put = (seq: number, text: string) => memory.objects.set(recordName(seq), new TextEncoder().encode(text))
  return { ...memory, writers, knownKeys, verify, record, put }
}

describe('a signed ledger', () => {
  test('says how many records are by whom', async () => {
    await using folder = await temporaryFolder()
    const { verify, writers } = await signedLedger(folder.path, 5)
    expect(await verify()).toMatchObject({
      verdict: 'ok',
      signatures: { known: 5, unknown: 0, unsigned: 0, wrong: 0 },
      writers: [
        { key: writers[0].signer.key, name: 'db1', host: 'db1', records: 3 },
        { key: writers[1].signer.key, name: 'db2', records: 2 },
      ],
    })
  })

  test('may have begun unsigned; what is unsigned behind signed records is found', async () => {
    await using folder = await temporaryFolder()
    const { area } = createMemoryArea()
    await openLedger(area).append('backup', backupBody('old'))
    const { options, signer } = await installation(folder.path, 'db1')
    await openLedger(area, options).append('backup', backupBody('signed'))
    const knownKeys = new Map([[signer.key, 'db1']])
    expect(await openLedger(area, { id, knownKeys }).verify()).toMatchObject({
      verdict: 'ok',
      signatures: { known: 1, unsigned: 1 },
    })
    await openLedger(area).append('backup', backupBody('forged'))
    for (const keys of [knownKeys, new Map<string, string>()])
      expect((await openLedger(area, { id, knownKeys: keys }).verify()).findings).toEqual([{ code: 'unsigned', seq: 3 }])
  })

  test('tells a key that nobody named, where some are named', async () => {
    await using folder = await temporaryFolder()
    const { area, verify } = await signedLedger(folder.path, 2)
    const { options, signer } = await installation(folder.path, 'stranger')
    for (const name of ['x', 'y']) await openLedger(area, options).append('backup', backupBody(name))
    expect((await verify()).findings).toEqual([{ code: 'unknown-key', seq: 3, key: signer.key, records: 2 }])
    expect(await openLedger(area, { id }).verify()).toMatchObject({ verdict: 'ok', signatures: { unknown: 4 } })
  })

  test('cannot stand for the ledger of another repository', async () => {
    await using folder = await temporaryFolder()
    const { area, knownKeys } = await signedLedger(folder.path, 1)
    expect((await openLedger(area, { id: 'b'.repeat(64), knownKeys }).verify()).findings).toEqual([
      { code: 'other-ledger', seq: 1, ledger: id },
    ])
  })
})

describe('somebody who may write to the repository and knows its password, but has no key', () => {
  test('cannot change a byte of a record, whatever is made of the chain behind it', async () => {
    await using folder = await temporaryFolder()
    const { record, put, verify } = await signedLedger(folder.path, 2)
    const [first, second] = [record(1), record(2)]
    let changed = 0
    for (let at = 0; at < first.canonical.length; at++) {
      const text = flipped(first.canonical, at)
      put(1, text)
      // The record behind it is chained anew; its signature cannot be.
      put(2, second.canonical.replace(`"prev":"${first.hash}","program"`, `"prev":"${sha256Hex(text)}","program"`))
      const { verdict } = await verify()
      expect({ at, verdict }).toEqual({ at, verdict: 'damaged' })
      changed++
    }
    expect(changed).toBeGreaterThan(400)
  })

  test('cannot change a byte of the newest record', async () => {
    await using folder = await temporaryFolder()
    const { record, put, verify } = await signedLedger(folder.path, 1)
    const { canonical } = record(1)
    for (let at = 0; at < canonical.length; at++) {
      put(1, flipped(canonical, at))
      expect({ at, verdict: (await verify()).verdict }).toEqual({ at, verdict: 'damaged' })
    }
  })

  test('cannot forge a record, take a signature off, or sign with a key of their own in another’s name', async () => {
    await using folder = await temporaryFolder()
    const { record, put, verify, writers } = await signedLedger(folder.path, 3)
    const { signer: stranger } = await installation(folder.path, 'stranger')
    const last = record(3)
    if (last.kind !== 'backup') throw new Error('unexpected')
    put(3, encodeRecord({ ...last, writer: undefined, ledger: undefined }))
    expect((await verify()).findings).toContainEqual({ code: 'unsigned', seq: 3 })
    put(3, encodeRecord(last))
    expect((await verify()).findings).toContainEqual({ code: 'wrong-signature', seq: 3 })
    put(
      3,
      encodeRecord({ ...last, body: backupBody('forged') }, { key: writers[0].signer.key, sign: (text) => stranger.sign(text) }),
    )
    expect((await verify()).findings).toContainEqual({ code: 'wrong-signature', seq: 3 })
  })

  test('cannot cut the tail off for good: the next record of whoever wrote it shows the gap', async () => {
    await using folder = await temporaryFolder()
    const { objects, area, verify, writers } = await signedLedger(folder.path, 6)
    for (const seq of [3, 4, 5, 6]) objects.delete(recordName(seq))
    // Until then it takes somebody who remembers.
    expect((await verify()).verdict).toBe('ok')
    expect((await openLedger(area, writers[1].options).verify()).findings).toMatchObject([{ code: 'truncated', seq: 6 }])
    await openLedger(area, writers[0].options).append('backup', backupBody('next'))
    expect((await verify()).findings).toEqual([{ code: 'writer-gap', seq: 3, key: writers[0].signer.key, from: 2, to: 3 }])
  })

  test('cannot put an old state back unnoticed: other ledgers name the newest record that was seen', async () => {
    await using folder = await temporaryFolder()
    const { objects, area, writers, knownKeys } = await signedLedger(folder.path, 4)
    const other = createMemoryArea()
    const otherId = 'b'.repeat(64)
    const { options } = await installation(folder.path, 'db2', otherId)
    await openLedger(other.area, options).append('backup', backupBody('elsewhere'))
    const { seen } = await openLedger(other.area, { id: otherId, knownKeys }).examine()
    expect(seen.get(id)).toMatchObject([{ seq: 4 }])
    objects.delete(recordName(4))
    expect(await openLedger(area, { id, knownKeys }).verify({ head: seen.get(id)?.[0]?.hash ?? '' })).toMatchObject({
      findings: [{ code: 'truncated' }],
    })
    expect(writers).toHaveLength(2)
  })

  test('cannot do any single one of these unnoticed, given the newest hash: delete, swap, replay, change', async () => {
    await using folder = await temporaryFolder()
    const { objects, verify, record } = await signedLedger(folder.path, 6)
    const head = record(6).hash
    const sound = new Map(objects)
    const place = fc.integer({ min: 1, max: 6 })
    await fc.assert(
      fc.asyncProperty(place, place, fc.nat(), fc.constantFrom('delete', 'swap', 'replay', 'change'), async (a, b, at, how) => {
        const [first, second] = [recordName(a), recordName(b)]
        const bytes = sound.get(first) ?? new Uint8Array()
        const other = sound.get(second) ?? new Uint8Array()
        if (how === 'delete' || (a === b && how !== 'change')) objects.delete(first)
        else if (how === 'change')
          objects.set(first, bytes.with(at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ (1 << (at % 7))))
        else {
          objects.set(second, bytes)
          if (how === 'swap') objects.set(first, other)
        }
        expect((await verify(head)).verdict).toBe('damaged')
        for (const [name, content] of sound) objects.set(name, content)
        expect((await verify(head)).verdict).toBe('ok')
      }),
      { numRuns: 60 },
    )
  })
})

test('somebody with a copy of a key who writes another past is found', async () => {
  await using folder = await temporaryFolder()
  const { area, objects, verify, writers, record, put } = await signedLedger(folder.path, 4)
  const { signer } = writers[0]
  const third = record(3)
  if (third.kind !== 'backup') throw new Error('unexpected')
  put(3, encodeRecord({ ...third, body: backupBody('another') }, signer))
  objects.delete(recordName(4))
  expect((await verify()).verdict).toBe('ok')
  await openLedger(area, writers[0].options).append('backup', backupBody('next'))
  expect((await verify()).findings).toEqual([{ code: 'writer-fork', seq: 4, key: signer.key, n: 2 }])
})

describe('the key of an installation', () => {
  test('is made once, for its owner alone, whoever asks first', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'state', 'signing-key.pem')
    const keys = await Promise.all([1, 2, 3, 4].map(() => openSigner(path)))
    expect(new Set(keys.map(({ key }) => key)).size).toBe(1)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toContain('BEGIN PRIVATE KEY')
    expect((await openSigner(path)).key).toBe(keys[0]?.key)
  })

  test('is never replaced because its file holds something else', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'signing-key.pem')
    await writeFile(path, 'gone')
    await expect(openSigner(path)).rejects.toMatchObject({ code: 'signing-key-unusable' })
    expect(await readFile(path, 'utf8')).toBe('gone')
  })

  test('is missed when another signs in its place, once', async () => {
    await using folder = await temporaryFolder()
    const { area } = createMemoryArea()
    const { options, signer } = await installation(folder.path, 'db1')
    await openLedger(area, options).append('backup', backupBody('one'))
    await rm(join(folder.path, 'db1', 'signing-key.pem'))
    const renewed = await installation(folder.path, 'db1')
    const told: string[][] = []
    const onNewKey = (...keys: [string, string]) => told.push(keys)
    for (const name of ['two', 'three'])
      await openLedger(area, { ...renewed.options, onNewKey }).append('backup', backupBody(name))
    expect(told).toEqual([[renewed.signer.key, signer.key]])
    expect(await openLedger(area, { id }).verify()).toMatchObject({ verdict: 'ok', writers: [{ records: 1 }, { records: 2 }] })
  })
})

test('several processes of one installation, and of another, each continue the chain of their own writer', async () => {
  await using folder = await temporaryFolder()
  const { area } = createMemoryArea()
  const [a, b] = [await installation(folder.path, 'a'), await installation(folder.path, 'b')]
  const processes = [a, a, b].map(({ options }) => openLedger(area, options))
  await Promise.all(processes.flatMap((ledger, at) => [1, 2, 3].map((n) => ledger.append('backup', backupBody(`${at}-${n}`)))))
  const knownKeys = new Map([a, b].map(({ signer, options }) => [signer.key, options.host ?? '']))
  expect(await openLedger(area, { id, knownKeys }).verify()).toMatchObject({
    verdict: 'ok',
    checked: 9,
    signatures: { known: 9 },
  })
})

function flipped(text: string, at: number): string {
  const bytes = Buffer.from(text)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes.toString()
}
