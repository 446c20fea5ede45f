import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backupBody, recoveryBody } from '../../test/support/evidence.ts'
import { sha256Hex } from '../kernel/index.ts'
import { openLedger, type LedgerOptions } from './ledger.ts'
import { createMemoryArea } from './memory-area.ts'
import { recordName } from './record.ts'
import { openSigner } from './signing-key.ts'
import type { DamagedPlace, RecordsFilter } from './view.ts'

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-view-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** An area that counts what is read from it. */
function countedArea() {
  const memory = createMemoryArea()
  const read: string[] = []
  const get = memory.area.get.bind(memory.area)
  memory.area.get = (name, signal) => {
    read.push(name)
    return get(name, signal)
  }
  return { ...memory, read }
}

async function append(area: Parameters<typeof openLedger>[0], names: readonly string[], options: LedgerOptions = {}) {
  const ledger = openLedger(area, options)
  for (const name of names) await ledger.append('backup', backupBody(name), { service: 'a' })
}

async function everything(area: Parameters<typeof openLedger>[0], options: LedgerOptions, filter: RecordsFilter = {}) {
  const damaged: DamagedPlace[] = []
  const records = openLedger(area, options).records({ ...filter, onDamage: (place) => damaged.push(place) })
  return { texts: (await Array.fromAsync(records)).map(({ canonical }) => canonical), damaged }
}

describe('what is kept of a ledger on this machine', () => {
  test('is not read again: only what is new is', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'deep', 'cache.sqlite')
    const { area, read } = countedArea()
    await append(area, ['1', '2', '3'])
    expect((await everything(area, { cacheFile })).texts).toHaveLength(3)
    await append(area, ['4'])
    read.length = 0
    expect((await everything(area, { cacheFile })).texts).toHaveLength(4)
    // The newest one that is known, to see that it is still the same, and the new one.
    expect(read).toEqual([recordName(3), recordName(4)])
    read.length = 0
    expect((await everything(area, { cacheFile })).texts).toHaveLength(4)
    expect(read).toEqual([recordName(4)])
  })

  test('is made anew when it is no database, of another version, or cut short', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area } = countedArea()
    await append(area, ['1', '2'])
    const sound = await everything(area, {})
    await writeFile(cacheFile, 'this is no database, whatever its name says'.repeat(100))
    expect(await everything(area, { cacheFile })).toEqual(sound)
    const database = new DatabaseSync(cacheFile)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(await everything(area, { cacheFile })).toEqual(sound)
    await writeFile(cacheFile, '')
    expect(await everything(area, { cacheFile })).toEqual(sound)
  })

  test('is done without, and made anew, wherever the file is damaged', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area, read } = countedArea()
    await append(
      area,
      Array.from({ length: 120 }, (_, index) => `${index}`),
    )
    const sound = await everything(area, { cacheFile })
    const kept = await readFile(cacheFile)
    const pages = kept.length / 4096
    expect(pages).toBeGreaterThan(20)
    let found = 0
    for (let page = 0; page < pages; page++) {
      // Its head says what kind of a page it is, and where the cells are.
      await writeFile(cacheFile, Buffer.from(kept).fill(0x5a, page * 4096, page * 4096 + 200))
      read.length = 0
      expect({ page, ...(await everything(area, { cacheFile })) }).toEqual({ page, ...sound })
      expect(await openLedger(area, { cacheFile }).ask((view) => view.about('backup', ['7'], () => {}).length)).toBe(1)
      if (read.length > 100) found++
      read.length = 0
      expect(await everything(area, { cacheFile })).toEqual(sound)
      expect(read).toEqual([recordName(120)])
    }
    expect(found).toBeGreaterThan(pages / 2)
  }, 60_000)

  test('is done without while another does not let go of it, and used again afterwards', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area, read } = countedArea()
    await append(area, ['1'])
    await everything(area, { cacheFile })
    await append(area, ['2'])
    const other = new DatabaseSync(cacheFile)
    other.exec('BEGIN IMMEDIATE')
    expect((await everything(area, { cacheFile })).texts).toHaveLength(2)
    other.exec('ROLLBACK')
    other.close()
    read.length = 0
    expect((await everything(area, { cacheFile })).texts).toHaveLength(2)
    // What was kept is there yet.
    expect(read).toEqual([recordName(1), recordName(2)])
  })

  test('of another version of Holdfast is left alone, and goes when this one makes its own', async () => {
    await using folder = await temporaryFolder()
    const { area } = countedArea()
    await append(area, ['1'])
    for (const version of ['0.1.0', '0.2.0', '0.2.0'])
      await everything(area, { cacheFile: join(folder.path, `ledger-a@${version}.sqlite`) })
    await everything(area, { cacheFile: join(folder.path, 'ledger-b@0.2.0.sqlite') })
    expect((await readdir(folder.path)).sort()).toEqual(['ledger-a@0.2.0.sqlite', 'ledger-b@0.2.0.sqlite'])
  })

  test('is thrown away, and the repository read, when a record in it is not what was read', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area } = countedArea()
    await append(area, ['1', '2', '3'])
    const sound = await everything(area, { cacheFile })
    const database = new DatabaseSync(cacheFile)
    database.exec(`UPDATE record SET text = replace(text, '"skipped":0', '"skipped":9') WHERE seq = 2`)
    database.close()
    expect(await everything(area, { cacheFile })).toEqual(sound)
    expect(await openLedger(area, { cacheFile }).ask((view) => view.about('backup', ['2'], () => {}).length)).toBe(1)
  })

  test('looks again at what was damaged: it may have been mended to the size that it had', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area, objects, damaged, read } = countedArea()
    await append(area, ['1', '2', '3'])
    const sound = await everything(area, {})
    const [second, other] = [objects.get(recordName(2)), '{"not":"a record"}']
    if (second === undefined) throw new Error('no record 2')
    damaged.add(recordName(2))
    expect((await everything(area, { cacheFile })).damaged).toEqual([
      { seq: 2, damage: { code: 'altered', because: 'does-not-authenticate' } },
    ])
    damaged.clear()
    expect(await everything(area, { cacheFile })).toEqual(sound)
    objects.set(recordName(2), new TextEncoder().encode(other.padEnd(second.length)))
    expect((await everything(area, { cacheFile: join(folder.path, 'other.sqlite') })).damaged).toHaveLength(1)
    objects.set(recordName(2), second)
    expect(await everything(area, { cacheFile: join(folder.path, 'other.sqlite') })).toEqual(sound)
    // Once it is mended it is not read again.
    read.length = 0
    await everything(area, { cacheFile })
    expect(read).toEqual([recordName(3)])
  })

  test('is shared by processes that read at once', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area } = countedArea()
    await append(
      area,
      Array.from({ length: 40 }, (_, index) => `${index}`),
    )
    const all = await Promise.all([1, 2, 3, 4].map(() => everything(area, { cacheFile })))
    expect(new Set(all.map(({ texts }) => texts.join('\n'))).size).toBe(1)
    expect(await openLedger(area, { cacheFile }).ask(({ count }) => count)).toBe(40)
  })

  test('is not needed: without a place for it the answer is the same', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    const { area } = countedArea()
    await append(area, ['1'])
    expect(await everything(area, { cacheFile: join(folder.path, 'file', 'cache.sqlite') })).toEqual(await everything(area, {}))
  })

  test('gives what reading everything gives, whatever happens to the ledger meanwhile', async () => {
    await using folder = await temporaryFolder()
    let run = 0
    const happening = fc.oneof(
      fc.record({ what: fc.constant('append' as const), at: fc.nat() }),
      fc.record({ what: fc.constantFrom('delete', 'cut', 'move', 'look' as const), at: fc.nat() }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 12 }), async (happenings) => {
        const cacheFile = join(folder.path, `${run++}.sqlite`)
        const { area, objects } = countedArea()
        await append(area, ['a', 'b', 'c', 'd'])
        // What has the size that it had before is for `verify` to find.
        let padding = 2000
        for (const { what, at } of happenings) {
          const names = [...objects.keys()].sort()
          const [name = '', other = ''] = [names[at % names.length], names[(at * 7 + 1) % names.length]]
          const bytes = objects.get(name) ?? new Uint8Array()
          if (what === 'append') await append(area, [`${at}`])
          else if (what === 'delete') objects.delete(name)
          else if (what === 'cut') objects.set(name, bytes.subarray(0, bytes.length - 1))
          else if (what === 'move') objects.set(other, Buffer.concat([bytes, Buffer.from(' '.repeat((padding += 700)))]))
          else await everything(area, { cacheFile })
        }
        const kept = await everything(area, { cacheFile })
        const read = await everything(area, {})
        expect(kept.texts).toEqual(read.texts)
        // What is kept knows besides that something was there.
        expect(kept.damaged.filter(({ damage }) => damage.code !== 'missing')).toEqual(read.damaged)
      }),
      { numRuns: 15 },
    )
  }, 60_000)
})

describe('a view', () => {
  test('finds records by what they show, by their own time, and by what they are about', async () => {
    const { area } = countedArea()
    let now = new Date('2026-01-01T00:00:00Z')
    const ledger = openLedger(area, { clock: { now: () => now } as LedgerOptions['clock'] & {} })
    const run = async (day: number, runId: string, changes: Parameters<typeof recoveryBody>[1] = {}) => {
      now = new Date(Date.UTC(2026, 0, day))
      await ledger.append('recovery', recoveryBody(runId, changes), { service: 'api' })
    }
    await run(5, 'newest')
    await run(3, 'older')
    await run(4, 'failed', { outcome: 'failed' })
    await run(9, 'future')
    await run(10, 'later still')
    const restored = ['s1', 's2', 's1'].map((snapshot) => ({
      service: 'db',
      source: 'files' as const,
      repository: 'nas',
      snapshot,
    }))
    await ledger.append('recovery', recoveryBody('other', { restored }), { service: 'db' })
    now = new Date(Date.UTC(2026, 0, 2))
    await ledger.append('recovery', recoveryBody('unnamed'))
    const until = new Date(Date.UTC(2026, 0, 6))
    const question = { kind: 'recovery', service: 'api', until, onDamage: () => {} } as const
    const found = await ledger.ask((view) => ({
      timed: view.newest({ ...question, useful: 'timed', limit: 1 }).map(({ body }) => body.runId),
      failed: view.newest({ ...question, useful: 'failed', limit: 5 }).map(({ body }) => body.runId),
      two: view.newest({ ...question, useful: 'timed', limit: 2 }).map(({ body }) => body.runId),
      unnamed: view.newest({ ...question, service: null, useful: 'timed', limit: 1 }).map(({ body }) => body.runId),
      ofNobody: view.newest({ ...question, service: 'web', useful: 'timed', limit: 1 }),
      about: view.about('recovery', ['future', 'nothing', 'older'], () => {}).map(({ seq }) => seq),
      restored: view.about('recovery', ['s0', 's1', 's2'], () => {}).map(({ body }) => body.runId),
      ofAnotherKind: view.about('backup', ['older'], () => {}),
      aboutNone: [...view.records({ kinds: ['recovery'], service: null })].map(({ seq }) => seq),
    }))
    expect(found).toEqual({
      timed: ['later still', 'future', 'newest'],
      two: ['later still', 'future', 'newest', 'older'],
      failed: ['failed'],
      unnamed: ['unnamed'],
      ofNobody: [],
      about: [2, 4],
      restored: ['other'],
      ofAnotherKind: [],
      aboutNone: [7],
    })
    const between = { from: new Date(Date.UTC(2026, 0, 4)), to: new Date(Date.UTC(2026, 0, 5)) }
    expect((await Array.fromAsync(ledger.records(between))).map(({ seq }) => seq)).toEqual([3])
  })

  test('counts a record for what its body was found to be, also from what is kept', async () => {
    await using folder = await temporaryFolder()
    const { area } = countedArea()
    await append(area, ['sound', 'newer', 'other'])
    const [sound = '', newer = '', other = ''] = (await everything(area, {})).texts
    const chain = [sound, newer.replace('"files":', '"fields":3,"files":')]
    chain.push(
      other.replace(sha256Hex(newer), sha256Hex(chain[1] ?? '')).replace(/"snapshotTime":"[^"]*"/, '"snapshotTime":"noon"'),
    )
    for (const [index, text] of chain.entries()) await area.put(recordName(index + 1), Buffer.from(text))
    const options = { cacheFile: join(folder.path, 'cache.sqlite') }
    for (const _again of [1, 2]) {
      const found = await openLedger(area, options).ask((view) => ({
        about: view.about('backup', ['sound', 'newer', 'other'], () => {}).map(({ body }) => body.snapshot),
        all: [...view.records()].map(({ kind, body }) => [kind, Object.hasOwn(body, 'fields')]),
      }))
      expect(found).toEqual({
        about: ['sound', 'newer'],
        // Of another shape: a newer program wrote it. What this one does not know is left out where a body is shown.
        all: [
          ['backup', false],
          ['backup', false],
          ['unknown', false],
        ],
      })
    }
  })

  test('counts no evidence by those whose keys are not known, or by nobody, and none that was forged', async () => {
    await using folder = await temporaryFolder()
    const { area, objects } = countedArea()
    const id = 'a'.repeat(64)
    const [known, stranger] = await Promise.all(
      ['known', 'stranger'].map((name) => openSigner(join(folder.path, name, 'key.pem'))),
    )
    if (!known || !stranger) throw new Error('no keys')
    const by = (signer: typeof known): LedgerOptions => ({ id, signer: () => Promise.resolve(signer) })
    await append(area, ['before'])
    await append(area, ['known'], by(known))
    await append(area, ['stranger'], by(stranger))
    await append(area, ['nobody'])
    await append(area, ['elsewhere'], { ...by(known), id: 'b'.repeat(64) })
    await append(area, ['forged'], by({ key: known.key, sign: (text) => stranger.sign(text) }))
    expect(objects.size).toBe(6)
    const options = { id, knownKeys: new Map([[known.key, 'db1']]), cacheFile: join(folder.path, 'cache.sqlite') }
    for (const _again of [1, 2]) {
      const { texts, damaged } = await everything(area, options)
      expect(texts.map((text) => (JSON.parse(text) as { seq: number }).seq)).toEqual([1, 2])
      expect(damaged).toEqual([
        { seq: 3, damage: { code: 'untrusted', because: 'unknown-key' } },
        { seq: 4, damage: { code: 'untrusted', because: 'unsigned' } },
        { seq: 5, damage: { code: 'untrusted', because: 'other-ledger' } },
        { seq: 6, damage: { code: 'untrusted', because: 'wrong-signature' } },
      ])
    }
    expect((await everything(area, options, { untrusted: 'include' })).texts).toHaveLength(6)
    // Where the catalog names no keys, everybody's counts who signed at all.
    expect((await everything(area, { id })).damaged.map(({ seq }) => seq)).toEqual([4, 5, 6])
  })
})

describe('old records', () => {
  test('are packed, and read, verified and continued as before', async () => {
    await using folder = await temporaryFolder()
    const cacheFile = join(folder.path, 'cache.sqlite')
    const { area, objects } = countedArea()
    const names = Array.from({ length: 1024 + 256 }, (_, index) => `${index}`)
    await append(area, names.slice(0, 1200))
    const before = await everything(area, { cacheFile })
    await append(area, names.slice(1200))
    expect(objects.size).toBe(1 + 256)
    expect(objects.has('0000000001-0000001024')).toBe(true)
    const after = await everything(area, { cacheFile })
    expect(after.texts.slice(0, 1200)).toEqual(before.texts)
    expect(after).toEqual(await everything(area, {}))
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'ok', checked: 1280 })

    // Killed between the two: both forms are there, and the next one who packs removes one.
    const text = new TextEncoder().encode(after.texts[9])
    objects.set(recordName(10), text)
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'ok', checked: 1280 })
    expect(await everything(area, { cacheFile })).toEqual(after)
    objects.set(recordName(10), new TextEncoder().encode(after.texts[10]))
    expect((await openLedger(area).verify()).findings).toEqual([{ code: 'forked', seq: 10 }])
    objects.delete(recordName(10))

    // Any change of the packed ones is found as of those by themselves.
    const segment = objects.get('0000000001-0000001024') ?? new Uint8Array()
    objects.set('0000000001-0000001024', segment.with(5000, (segment[5000] ?? 0) ^ 1))
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'damaged' })
    objects.set('0000000001-0000001024', segment.subarray(0, segment.length - 400))
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'damaged' })
    objects.delete('0000000001-0000001024')
    expect((await openLedger(area).verify()).findings).toEqual([{ code: 'missing', from: 1, to: 1024 }])
  })

  test('are seen in either form: what stands by itself beside a damaged segment, and what was packed while others look', async () => {
    const { area, objects, damaged } = countedArea()
    await append(
      area,
      Array.from({ length: 1280 }, (_, index) => `${index}`),
    )
    const sound = await everything(area, {})
    for (const [index, text] of sound.texts.slice(0, 1024).entries())
      objects.set(recordName(index + 1), new TextEncoder().encode(text))
    damaged.add('0000000001-0000001024')
    expect(await everything(area, {})).toEqual(sound)
    const { verdict, findings, checked } = await openLedger(area).verify()
    expect({ verdict, checked, found: findings.length }).toEqual({ verdict: 'damaged', checked: 1280, found: 1024 })
    expect(findings[9]).toEqual({ code: 'altered', seq: 10, because: 'does-not-authenticate' })
    damaged.clear()

    // Listed by themselves, and removed by whoever packed them before they were read.
    for (let seq = 1; seq <= 1024; seq++) objects.delete(recordName(seq))
    const list = area.list.bind(area)
    area.list = async function* (prefix, signal) {
      yield* list(prefix, signal)
      yield { name: recordName(10), sizeBytes: 1 }
    }
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'ok', checked: 1280, findings: [] })
  })

  test('are looked for once more where they seem to be gone', async () => {
    const { area } = countedArea()
    await append(area, ['1', '2', '3'])
    const list = area.list.bind(area)
    let looks = 0
    area.list = async function* (prefix, signal) {
      looks++
      // The first look passed the place before there was anything in it.
      for await (const object of list(prefix, signal)) if (looks > 1 || object.name !== recordName(2)) yield object
    }
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'ok', checked: 3 })
  })

  test('are read once by a writer that goes on behind those of others, a segment as one object', async () => {
    await using folder = await temporaryFolder()
    const { area, read } = countedArea()
    await append(
      area,
      Array.from({ length: 1290 }, (_, index) => `${index}`),
    )
    const signer = () => openSigner(join(folder.path, 'key.pem'))
    const options = { id: 'a'.repeat(64), signer, headFile: join(folder.path, 'heads', 'a.json') }
    read.length = 0
    expect(await openLedger(area, options).append('backup', backupBody('mine'))).toMatchObject({ seq: 1291 })
    expect(read.filter((name) => name.includes('-'))).toEqual(['0000000001-0000001024'])
    expect(read.length).toBeLessThanOrEqual(1 + 266 + 1)
    // What this machine remembers of itself spares the rest.
    read.length = 0
    await openLedger(area, options).append('backup', backupBody('mine'))
    expect(read.length).toBeLessThanOrEqual(2)
  })

  test('take no new record in their places, however long its writer slept', async () => {
    const { area, objects } = countedArea()
    const sleeper = openLedger(area)
    await sleeper.append('backup', backupBody('first'))
    await append(
      area,
      Array.from({ length: 1279 }, (_, index) => `${index}`),
    )
    expect(objects.has(recordName(2))).toBe(false)
    expect(await sleeper.append('backup', backupBody('late'))).toMatchObject({ seq: 1281 })
    expect(objects.has(recordName(2))).toBe(false)
    expect(await openLedger(area).verify()).toMatchObject({ verdict: 'ok', checked: 1281 })
  })

  test('stay by themselves where nothing can be deleted, or one of them is damaged', async () => {
    const { area, objects, damaged } = countedArea()
    damaged.add(recordName(7))
    await append(
      area,
      Array.from({ length: 1280 }, (_, index) => `${index}`),
    )
    expect(objects.size).toBe(1280)
    expect((await openLedger(area).verify()).findings).toEqual([{ code: 'altered', seq: 7, because: 'does-not-authenticate' }])
  })
})
