import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backupBody } from '../../test/support/evidence.ts'
import { sha256Hex } from '../kernel/index.ts'
import { openLedger, type Ledger } from './ledger.ts'
import { createMemoryArea } from './memory-area.ts'
import { encodeRecord, recordName } from './record.ts'

async function ledgerWith(count: number, options: { headFile?: string } = {}) {
  const memory = createMemoryArea()
  const ledger = openLedger(memory.area, options)
  for (let index = 1; index <= count; index++)
    await ledger.append('backup', backupBody(`s${index}`), { service: index % 2 ? 'a' : 'b' })
  return { ...memory, ledger }
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-ledger-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function collect(ledger: Ledger, filter?: Parameters<Ledger['records']>[0]) {
  return Array.fromAsync(ledger.records(filter))
}

describe('appending and reading', () => {
  test('a record is its canonical JSON, and its hash is the next one’s prev', async () => {
    const { objects, ledger } = await ledgerWith(2)
    const [first, second] = [...objects.values()].map((bytes) => new TextDecoder().decode(bytes))
    expect(JSON.parse(first ?? '')).toMatchObject({
      seq: 1,
      prev: '0'.repeat(64),
      kind: 'backup',
      service: 'a',
      body: backupBody('s1'),
    })
    expect(JSON.parse(second ?? '')).toMatchObject({ seq: 2, prev: sha256Hex(first ?? '') })
    expect(await ledger.head()).toEqual({ seq: 2, hash: sha256Hex(second ?? '') })
  })

  test('records are filtered by kind and service, in either order, up to a limit', async () => {
    const { ledger } = await ledgerWith(50)
    expect((await collect(ledger)).map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    const newest = await collect(ledger, { service: 'a', order: 'newest-first', limit: 2, kinds: ['backup'] })
    expect(newest.map(({ seq }) => seq)).toEqual([49, 47])
    expect(await collect(ledger, { kinds: ['recovery'] })).toEqual([])
  })

  test('a body that does not fit its kind is refused, and nothing is written', async () => {
    const { ledger, objects } = await ledgerWith(0)
    await expect(ledger.append('backup', { ...backupBody('s'), skipped: -1 })).rejects.toMatchObject({ code: 'internal' })
    expect(objects.size).toBe(0)
  })

  test('several writers at once each get a place, and the chain holds', async () => {
    const { area } = createMemoryArea()
    const writers = [openLedger(area), openLedger(area), openLedger(area)]
    await Promise.all(writers.flatMap((ledger, w) => [1, 2, 3, 4].map((n) => ledger.append('backup', backupBody(`${w}-${n}`)))))
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'ok', checked: 12 })
    expect(new Set((await collect(openLedger(area))).map(({ canonical }) => canonical)).size).toBe(12)
  })

  test('a storage that reports our own put as somebody else’s does not make a second record', async () => {
    const { area, objects } = createMemoryArea()
    const put = area.put.bind(area)
    let lie = true
    area.put = async (name, bytes, options) => {
      await put(name, bytes, options)
      if (lie) {
        lie = false
        await put(name, bytes, options)
      }
    }
    expect(await openLedger(area).append('backup', backupBody('s'))).toMatchObject({ seq: 1 })
    expect(objects.size).toBe(1)
  })

  test('a record of a kind this version does not know is kept and verified, not taken for evidence', async () => {
    const { area, ledger, objects } = await ledgerWith(1)
    const { hash } = (await ledger.head()) ?? { hash: '' }
    const newer = `{"body":{"x":1},"host":"h","id":"1","kind":"teleport","prev":"${hash}","program":"holdfast 9","seq":2,"time":"2026-01-02T03:04:05.000Z"}`
    objects.set(recordName(2), new TextEncoder().encode(newer))
    await openLedger(area).append('backup', backupBody('s3'))
    expect(await ledger.verify()).toMatchObject({ verdict: 'ok', checked: 3 })
    expect((await collect(ledger))[1]).toMatchObject({ kind: 'unknown', originalKind: 'teleport', body: { x: 1 } })
  })
})

describe('verify finds', () => {
  test('nothing in a sound ledger, and says how many records it looked at', async () => {
    const { ledger } = await ledgerWith(40)
    const head = await ledger.head()
    expect(await ledger.verify({ head: head?.hash ?? '' })).toEqual({
      verdict: 'ok',
      checked: 40,
      head,
      anchors: 1,
      signatures: { known: 0, unknown: 0, unsigned: 40, wrong: 0 },
      writers: [],
      findings: [],
    })
  })

  test('that a ledger is empty, which is not a pass', async () => {
    const { ledger } = await ledgerWith(0)
    expect(await ledger.verify()).toMatchObject({ verdict: 'empty', checked: 0, head: undefined, anchors: 0, findings: [] })
  })

  test('an object that does not authenticate', async () => {
    const { ledger, damaged } = await ledgerWith(3)
    damaged.add(recordName(2))
    expect((await ledger.verify()).findings).toEqual([{ code: 'altered', seq: 2, because: 'does-not-authenticate' }])
    await expect(collect(ledger)).rejects.toMatchObject({ code: 'ledger-damaged', details: { seq: 2 } })
  })

  test('a record rewritten by somebody who has the keys', async () => {
    const { ledger, objects } = await ledgerWith(3)
    const [first] = await collect(ledger)
    if (first?.kind !== 'backup') throw new Error('unexpected')
    const rewritten = encodeRecord({ ...first, body: { ...first.body, skipped: 7 } })
    objects.set(recordName(1), new TextEncoder().encode(rewritten))
    expect((await ledger.verify()).findings).toEqual([{ code: 'altered', seq: 1, because: 'next-disagrees' }])
    for (const order of ['oldest-first', 'newest-first'] as const) {
      const damage: number[] = []
      const read = await collect(ledger, { order, onDamage: ({ seq }) => damage.push(seq) })
      expect(new Set(read.map(({ seq }) => seq))).toEqual(new Set([2, 3]))
      expect(damage).toEqual([1])
    }
  })

  test('the same content in another spelling', async () => {
    const { ledger, objects } = await ledgerWith(1)
    const text = new TextDecoder().decode(objects.get(recordName(1)))
    objects.set(recordName(1), new TextEncoder().encode(text.replace(',', ', ')))
    expect((await ledger.verify()).findings).toEqual([{ code: 'altered', seq: 1, because: 'not-canonical' }])
  })

  test('a hole', async () => {
    const { ledger, objects } = await ledgerWith(6)
    objects.delete(recordName(1))
    objects.delete(recordName(3))
    objects.delete(recordName(4))
    expect((await ledger.verify()).findings).toEqual([
      { code: 'missing', from: 1, to: 1 },
      { code: 'missing', from: 3, to: 4 },
    ])
  })

  test('two records that changed places', async () => {
    const { ledger, objects } = await ledgerWith(4)
    const [second, third] = [objects.get(recordName(2)), objects.get(recordName(3))]
    objects.set(recordName(2), third ?? new Uint8Array())
    objects.set(recordName(3), second ?? new Uint8Array())
    expect((await ledger.verify()).findings).toEqual([
      { code: 'reordered', seq: 2, recordSeq: 3 },
      { code: 'reordered', seq: 3, recordSeq: 2 },
    ])
  })

  test('a record copied to another place', async () => {
    const { ledger, objects } = await ledgerWith(3)
    objects.set(recordName(4), objects.get(recordName(2)) ?? new Uint8Array())
    expect((await ledger.verify()).findings).toEqual([{ code: 'duplicated', seq: 4, of: 2 }])
  })

  test('an object that is no record of a ledger', async () => {
    const { ledger, objects } = await ledgerWith(1)
    objects.set('notes.txt', new Uint8Array([1]))
    objects.set('0000000000', new Uint8Array([1]))
    expect((await ledger.verify()).findings).toEqual([
      { code: 'foreign', name: '0000000000' },
      { code: 'foreign', name: 'notes.txt' },
    ])
  })

  test('records cut off the end, against a head noted elsewhere', async () => {
    const { ledger, objects } = await ledgerWith(4)
    const head = (await ledger.head())?.hash ?? ''
    objects.delete(recordName(4))
    // Without an anchor nothing inside the ledger can tell; the result says that there was none.
    expect(await ledger.verify()).toMatchObject({ verdict: 'ok', anchors: 0 })
    expect((await ledger.verify({ head })).findings).toEqual([{ code: 'truncated', head, newest: 3 }])
  })

  test('any single tampering with a stored object, given the head', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }), fc.nat(), async (at, other, kind) => {
        const { ledger, objects } = await ledgerWith(8)
        const head = (await ledger.head())?.hash ?? ''
        const [name, second] = [recordName(at + 1), recordName(other + 1)]
        const bytes = objects.get(name) ?? new Uint8Array()
        if (kind % 3 === 0) objects.delete(name)
        else if (kind % 3 === 1) objects.set(name, bytes.with(kind % bytes.length, (bytes[kind % bytes.length] ?? 0) ^ 1))
        else if (at !== other) objects.set(name, objects.get(second) ?? bytes)
        else objects.delete(name)
        expect((await ledger.verify({ head })).verdict).toBe('damaged')
      }),
      { numRuns: 200 },
    )
  })
})

describe('the head that this machine remembers', () => {
  test('reveals records cut off the end, even after more were appended', async () => {
    await using folder = await temporaryFolder()
    const headFile = join(folder.path, 'heads', 'r.json')
    const { area, objects, ledger } = await ledgerWith(4, { headFile })
    const lost = await ledger.head()
    expect(await ledger.verify()).toMatchObject({ verdict: 'ok', anchors: 1 })
    objects.delete(recordName(4))
    objects.delete(recordName(3))
    expect((await openLedger(area, { headFile }).verify()).findings).toEqual([
      { code: 'truncated', head: lost?.hash, seq: 4, newest: 2 },
    ])

    for (const snapshot of ['x', 'y', 'z']) await openLedger(area, { headFile }).append('backup', backupBody(snapshot))
    expect((await openLedger(area, { headFile }).verify()).findings).toEqual([{ code: 'rewritten', head: lost?.hash, seq: 4 }])
  })

  test('reveals that the whole ledger is gone', async () => {
    await using folder = await temporaryFolder()
    const headFile = join(folder.path, 'r.json')
    const { area, objects } = await ledgerWith(2, { headFile })
    objects.clear()
    expect(await openLedger(area, { headFile }).verify()).toMatchObject({
      verdict: 'damaged',
      checked: 0,
      findings: [{ code: 'truncated', seq: 2 }],
    })
    await openLedger(area, { headFile }).append('backup', backupBody('x'))
    expect(await openLedger(area, { headFile }).verify()).toMatchObject({ findings: [{ code: 'truncated', seq: 2, newest: 1 }] })
  })

  test('is not moved back by a slower writer', async () => {
    await using folder = await temporaryFolder()
    const headFile = join(folder.path, 'r.json')
    const { area } = createMemoryArea()
    const writers = [openLedger(area, { headFile }), openLedger(area, { headFile })]
    await Promise.all(writers.flatMap((ledger) => [1, 2, 3].map((n) => ledger.append('backup', backupBody(`${n}`)))))
    expect(JSON.parse(await readFile(headFile, 'utf8'))).toMatchObject({ lost: [] })
    expect(await openLedger(area, { headFile }).verify()).toMatchObject({ verdict: 'ok', checked: 6 })
  })

  test('is not needed: without a place for it evidence is kept all the same, and verify says so', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    const { ledger } = await ledgerWith(2, { headFile: join(folder.path, 'file', 'r.json') })
    expect(await ledger.verify()).toMatchObject({
      verdict: 'ok',
      checked: 2,
      anchors: 0,
      notRemembered: expect.stringContaining('ENOTDIR') as string,
    })
  })

  test('is refused when it is not one', async () => {
    await using folder = await temporaryFolder()
    const headFile = join(folder.path, 'r.json')
    await writeFile(headFile, '{"head":1}')
    await expect(openLedger(createMemoryArea().area, { headFile }).verify()).rejects.toMatchObject({ code: 'ledger-damaged' })
  })
})

test('evidence goes on after a damaged record, which stays found', async () => {
  const { area, damaged, ledger } = await ledgerWith(3)
  damaged.add(recordName(3))
  expect(await openLedger(area).append('backup', backupBody('after'))).toMatchObject({ seq: 4 })
  expect(await openLedger(area).append('backup', backupBody('later'))).toMatchObject({ seq: 5 })
  expect((await ledger.verify()).findings).toEqual([{ code: 'altered', seq: 3, because: 'does-not-authenticate' }])
})
