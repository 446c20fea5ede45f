import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backupBody } from '../../test/support/evidence.ts'
import { canonicalJson, type Json } from '../kernel/index.ts'
import { exportLedgers } from './export.ts'
import { openLedger } from './ledger.ts'
import { createMemoryArea } from './memory-area.ts'
import { recordName } from './record.ts'
import { openSigner } from './signing-key.ts'

interface Verdict {
  readonly verdict: 'ok' | 'damaged'
  readonly records: number
  readonly signatures: Readonly<Record<string, number>>
  readonly ledgers: readonly { readonly id: string; readonly head: string }[]
  readonly findings: readonly { readonly code: string; readonly line: number }[]
}

/** The file that auditors get: plain JavaScript, which knows nothing of this house. */
const { verifyExport } = (await import(new URL('../../bin/verify-ledger.mjs', import.meta.url).href)) as {
  readonly verifyExport: (
    lines: Iterable<Buffer>,
    known: { readonly keys: readonly string[]; readonly heads?: readonly string[] },
  ) => Promise<Verdict>
}

function linesIn(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from)
    const to = end < 0 ? bytes.length : end + 1
    lines.push(bytes.subarray(from, to))
    from = to
  }
  return lines
}

/** Two ledgers that name each other, written by two installations, and how they are exported by one of them. */
async function exported() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-export-'))
  try {
    const areas = { a: createMemoryArea(), b: createMemoryArea() }
    const ids = { a: 'a'.repeat(64), b: 'b'.repeat(64) }
    const signers = await Promise.all(['db1', 'db2'].map((host) => openSigner(join(folder, host, 'key.pem'))))
    const append = async (place: 'a' | 'b', host: number, snapshot: string) => {
      const headFile = join(folder, `db${host + 1}`, `${ids[place]}.json`)
      const signer = () => Promise.resolve(signers[host])
      await openLedger(areas[place].area, { id: ids[place], headFile, signer, host: 'h', program: 'p' }).append(
        'backup',
        backupBody(snapshot),
      )
    }
    await append('a', 0, '1')
    await append('b', 0, '2')
    await append('a', 1, '3')
    await append('a', 0, '4')
    const run = async (time = new Date('2026-11-27T12:00:00Z')) => {
      const ledgers = (['a', 'b'] as const).map((name) => ({
        id: ids[name],
        repository: name,
        ledger: openLedger(areas[name].area, { id: ids[name] }),
      }))
      const signer = signers[0]
      if (signer === undefined) throw new Error('no signer')
      return Buffer.from((await Array.fromAsync(exportLedgers({ ledgers, keys: {}, signer, time }))).join(''))
    }
    return { folder, run, append, areas, keys: signers.map(({ key }) => key), bytes: await run(), older: await run() }
  } catch (error) {
    await rm(folder, { recursive: true })
    throw error
  }
}

describe('an export', () => {
  let made: Awaited<ReturnType<typeof exported>>
  let lines: Buffer[]
  const verify = async (changed: readonly Buffer[], heads: readonly string[] = []) =>
    verifyExport(changed, { keys: made.keys, heads })
  beforeAll(async () => {
    made = await exported()
    lines = linesIn(made.bytes)
  })
  afterAll(() => rm(made.folder, { recursive: true }))

  test('is verified by the file that stands alone', async () => {
    expect(await verify(lines)).toMatchObject({
      verdict: 'ok',
      records: 4,
      signatures: { known: 4, unknown: 0, unsigned: 0, wrong: 0 },
      ledgers: [{ records: 3 }, { records: 1 }],
      findings: [],
    })
  })

  test('is not as it was with any one byte changed', async () => {
    for (let at = 0; at < made.bytes.length; at++) {
      const changed = Buffer.from(made.bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      expect({ at, verdict: (await verify(linesIn(changed))).verdict }).toEqual({ at, verdict: 'damaged' })
    }
  }, 60_000)

  test('is not as it was cut off anywhere', async () => {
    for (let end = 0; end < made.bytes.length; end += 7)
      expect({ end, verdict: (await verify(linesIn(made.bytes.subarray(0, end)))).verdict }).toEqual({ end, verdict: 'damaged' })
  })

  test('is not as it was with lines removed, put elsewhere or repeated', async () => {
    const place = fc.integer({ min: 0, max: lines.length - 1 })
    await fc.assert(
      fc.asyncProperty(place, place, fc.constantFrom('remove', 'move', 'repeat'), async (from, to, how) => {
        const changed = [...lines]
        const [line = Buffer.alloc(0)] = how === 'repeat' ? [lines[from]] : changed.splice(from, 1)
        if (how !== 'remove') changed.splice(to, 0, line)
        const isSame = Buffer.concat(changed).equals(made.bytes)
        expect((await verify(changed)).verdict).toBe(isSame ? 'ok' : 'damaged')
      }),
      { numRuns: 60 },
    )
  })

  test('shows what was done to the ledger before it was made, even signed by somebody known', async () => {
    const { objects } = made.areas.a
    const sound = new Map(objects)
    const codesOf = async () => (await verify(linesIn(await made.run()))).findings.map(({ code }) => code)
    objects.delete(recordName(2))
    expect(await codesOf()).toContain('out-of-order')
    objects.set(recordName(2), sound.get(recordName(3)) ?? new Uint8Array())
    expect(await codesOf()).toContain('damaged-when-exported')
    objects.set(recordName(2), sound.get(recordName(2)) ?? new Uint8Array())
    expect(await codesOf()).toEqual([])
    // The ledger b names the first record of a.
    objects.clear()
    expect(await codesOf()).toEqual(['seen-missing'])
    for (const [name, bytes] of sound) objects.set(name, bytes)
  })

  test('of an older state is one only for who knows no newer one', async () => {
    const { objects } = made.areas.a
    const newest = (await verify(lines)).ledgers[0]?.head ?? ''
    const last = objects.get(recordName(3)) ?? new Uint8Array()
    objects.delete(recordName(3))
    const older = linesIn(await made.run())
    objects.set(recordName(3), last)
    // Nothing inside of it can tell: this is what --head and --after are for.
    expect((await verify(older)).verdict).toBe('ok')
    expect((await verify(older, [newest])).findings).toMatchObject([{ code: 'head-missing' }])
  })

  test('by somebody unknown, or with records by somebody unknown, is nothing', async () => {
    const [own = '', other = ''] = made.keys
    const byOther = await verifyExport(lines, { keys: [own] })
    expect(byOther.findings.map(({ code }) => code)).toEqual(['unknown-key'])
    const byNobody = await verifyExport(lines, { keys: [other] })
    expect(byNobody.findings.at(-1)).toMatchObject({ code: 'unknown-key', of: 'the export' })
  })

  test('with lines that are JSON and of no use is refused, whatever they hold', async () => {
    const id = 'a'.repeat(64)
    const value = fc.jsonValue({ maxDepth: 2 })
    const record = fc.record({ seq: value, prev: value, writer: value, signature: value, seen: value }, { requiredKeys: [] })
    const line = fc.oneof(
      value,
      fc.record({
        end: fc.oneof(value, fc.record({ lines: value, records: value, sha256: value })),
        key: value,
        signature: value,
      }),
      fc.record({ format: fc.constant('holdfast-ledger-export'), version: fc.constant(1), ledgers: fc.array(value) }),
      fc.record({ ledger: fc.constant(id), record: fc.oneof(value, record) }),
      fc.record({ ledger: fc.constant(id), damaged: value }),
    )
    await fc.assert(
      fc.asyncProperty(line, fc.integer({ min: 0, max: lines.length - 1 }), async (made, at) => {
        const text = Buffer.from(`${canonicalJson(made as Json)}\n`)
        expect((await verify(lines.with(at, text))).verdict).toBe('damaged')
        expect((await verify([...lines, text])).verdict).toBe('damaged')
      }),
      { numRuns: 150 },
    )
  })

  test('with a hole in it is told as one hole, and the places behind it are as they were', async () => {
    const { objects } = made.areas.b
    await made.append('b', 0, '5')
    await made.append('b', 0, '6')
    // The next one of a names the newest of b.
    await made.append('a', 0, '7')
    const second = objects.get(recordName(2)) ?? new Uint8Array()
    objects.delete(recordName(2))
    const { findings } = await verify(linesIn(await made.run()))
    expect(findings.map(({ code }) => code)).toEqual(['out-of-order', 'chain-broken'])
    objects.set(recordName(2), second)
  })

  test('is read by a program that says what it needs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-verify-'))
    const at = (name: string) => join(folder, name)
    const run = (...args: string[]) => {
      const program = fileURLToPath(new URL('../../bin/verify-ledger.mjs', import.meta.url))
      const { status, stdout, stderr } = spawnSync('node', [program, ...args], { encoding: 'utf8' })
      return [status, status === 0 ? stdout : stderr]
    }
    try {
      await writeFile(at('export'), await made.run())
      await writeFile(at('empty'), '')
      await writeFile(at('cut'), (await readFile(at('export'))).subarray(0, 900))
      const keys = made.keys.flatMap((key) => ['--key', key])
      expect(run('--help')).toEqual([0, expect.stringContaining('usage: node verify-ledger.mjs')])
      expect(run(at('none'), ...keys)).toEqual([2, `verify-ledger: there is no file ${at('none')}\n`])
      expect(run(at('export'), ...keys, '--after', at('export'))).toEqual([0, expect.stringMatching(/^ok: 7 records/)])
      expect(run(at('export'), ...keys, '--after', at('empty'))).toEqual([2, expect.stringContaining('is no whole export')])
      expect(run(at('export'), ...keys, '--after', at('cut'))).toEqual([2, expect.stringContaining('is no whole export')])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('without a record proves nothing', async () => {
    for (const { objects } of Object.values(made.areas)) objects.clear()
    expect((await verify(linesIn(await made.run()))).findings).toMatchObject([{ code: 'nothing-verified' }])
  })
})
