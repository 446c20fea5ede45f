import { expect, test } from 'vitest'
import { randomHex, sha256Hex } from '../../src/kernel/index.ts'
import type { Backend, ObjectKind } from '../../src/storage/index.ts'

export interface BackendUnderTest extends AsyncDisposable {
  readonly backend: Backend
}

const kinds: readonly ObjectKind[] = ['keys', 'locks', 'snapshots', 'index', 'data', 'holdfast/wal', 'holdfast/ledger']

async function names(backend: Backend, kind: ObjectKind, prefix?: string): Promise<string[]> {
  const found = await Array.fromAsync(backend.list(kind, prefix))
  return found.map(({ name }) => name).sort()
}

/** What every backend must do: the contract of storage/backend.ts, as claims. `make` gives an empty one. */
export function backendConformance(make: () => Promise<BackendUnderTest>): void {
  const bytes = Buffer.from('some bytes that are stored')
  const id = sha256Hex(bytes)

  test('an empty backend lists nothing of any kind, whether or not its folders exist', async () => {
    await using made = await make()
    for (const kind of kinds) expect(await names(made.backend, kind)).toEqual([])
    expect(await made.backend.stat('config', '')).toBeUndefined()
  })

  test.each(kinds)(
    'what was put as %s comes back whole, is listed once with its size, and is gone when deleted',
    async (kind) => {
      await using made = await make()
      const { backend } = made
      await backend.put(kind, id, bytes)
      expect(Buffer.from(await backend.get(kind, id))).toEqual(bytes)
      expect(await backend.stat(kind, id)).toEqual({ name: id, sizeBytes: bytes.length })
      expect(await Array.fromAsync(backend.list(kind))).toEqual([{ name: id, sizeBytes: bytes.length }])
      await backend.delete(kind, id)
      expect(await names(backend, kind)).toEqual([])
      expect(await backend.stat(kind, id)).toBeUndefined()
    },
  )

  test('the config has no name and is one object', async () => {
    await using made = await make()
    await made.backend.put('config', '', bytes, { ifAbsent: true })
    expect(Buffer.from(await made.backend.get('config', ''))).toEqual(bytes)
    expect(await names(made.backend, 'config')).toEqual([''])
  })

  test('pieces are stored one after the other, however many there are', async () => {
    await using made = await make()
    const pieces = Array.from({ length: 3000 }, (_, at) => Buffer.from(`${at}.`.repeat(at % 4)))
    await made.backend.put('data', id, pieces)
    expect(Buffer.from(await made.backend.get('data', id))).toEqual(Buffer.concat(pieces))
  })

  test('an empty object is an object', async () => {
    await using made = await make()
    await made.backend.put('index', id, new Uint8Array())
    expect(await made.backend.get('index', id)).toHaveLength(0)
    expect(await made.backend.stat('index', id)).toEqual({ name: id, sizeBytes: 0 })
  })

  test('what is read into memory that was given is the same, shared or not, and nothing else is touched there', async () => {
    await using made = await make()
    await made.backend.put('data', id, bytes)
    for (const into of [new Uint8Array(100).fill(7), new Uint8Array(new SharedArrayBuffer(100)).fill(7)]) {
      const read = await made.backend.get('data', id, { into })
      expect(Buffer.from(read)).toEqual(bytes)
      expect(into.subarray(bytes.length)).toEqual(new Uint8Array(100 - bytes.length).fill(7))
    }
    const small = new Uint8Array(5).fill(7)
    expect(Buffer.from(await made.backend.get('data', id, { into: small }))).toEqual(bytes)
    expect(Buffer.from(await made.backend.get('data', id, { into: small, range: { offset: 5, length: 5 } })).toString()).toBe(
      'bytes',
    )
    await expect(made.backend.get('data', id, { into: small, range: { offset: 1000, length: 1 } })).rejects.toMatchObject({
      code: 'object-damaged',
    })
  })

  test('a range is exactly that range, and one beyond the end is an error, never a short result', async () => {
    await using made = await make()
    await made.backend.put('data', id, bytes)
    const range = (offset: number, length: number) => made.backend.get('data', id, { range: { offset, length } })
    expect(Buffer.from(await range(5, 5)).toString()).toBe('bytes')
    expect(await range(0, 0)).toHaveLength(0)
    expect(await range(bytes.length - 1, 1)).toHaveLength(1)
    await expect(range(bytes.length - 1, 2)).rejects.toMatchObject({ code: 'object-damaged' })
    await expect(range(1000, 1)).rejects.toMatchObject({ code: 'object-damaged' })
  })

  test('what is absent is an error to get, and none to delete', async () => {
    await using made = await make()
    await expect(made.backend.get('data', id)).rejects.toMatchObject({ code: 'object-missing' })
    await expect(made.backend.delete('data', id)).resolves.toBeUndefined()
  })

  test('of several writers with ifAbsent exactly one succeeds, and the object is one of theirs, whole', async () => {
    await using made = await make()
    const contents = Array.from({ length: 8 }, (_, at) => Buffer.from(`writer ${at} `.repeat(5000)))
    const results = await Promise.allSettled(
      contents.map((content) => made.backend.put('holdfast/ledger', 'segments/7', content, { ifAbsent: true })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(refusals).toEqual(refusals.map(() => expect.objectContaining({ code: 'already-exists' })))
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(Buffer.from(await made.backend.get('holdfast/ledger', 'segments/7'))).toEqual(contents[winner])
  })

  test("names of Holdfast's own objects may have folders, and are found by prefix", async () => {
    await using made = await make()
    for (const name of ['1/000A', '1/000B', '2/000A', 'head']) await made.backend.put('holdfast/wal', name, bytes)
    expect(await names(made.backend, 'holdfast/wal')).toEqual(['1/000A', '1/000B', '2/000A', 'head'])
    expect(await names(made.backend, 'holdfast/wal', '1/')).toEqual(['1/000A', '1/000B'])
    expect(await names(made.backend, 'holdfast/wal', '1/000B')).toEqual(['1/000B'])
    expect(await names(made.backend, 'holdfast/wal', 'h')).toEqual(['head'])
    expect(await names(made.backend, 'holdfast/wal', '9/')).toEqual([])
    expect(await names(made.backend, 'holdfast/ledger')).toEqual([])
  })

  test('packs are found by prefix', async () => {
    await using made = await make()
    const ids = Array.from({ length: 40 }, () => randomHex(32))
    for (const pack of ids) await made.backend.put('data', pack, bytes)
    expect(await names(made.backend, 'data')).toEqual(ids.toSorted())
    const [first = ''] = ids
    expect(await names(made.backend, 'data', first.slice(0, 10))).toEqual([first])
    expect(await names(made.backend, 'data', first.slice(0, 1))).toEqual(ids.filter((other) => other[0] === first[0]).sort())
  })

  test.each(['../../escape', '/absolute', 'a/../b', '.hidden', 'a//b', ''])(
    'a name that could lead elsewhere is refused: %j',
    async (name) => {
      await using made = await make()
      await expect(made.backend.put('holdfast/wal', name, bytes)).rejects.toMatchObject({ code: 'internal' })
      await expect(made.backend.put('data', name, bytes)).rejects.toMatchObject({ code: 'internal' })
    },
  )

  test('an aborted signal stops a call before it does anything', async () => {
    await using made = await make()
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(made.backend.put('data', id, bytes, { signal })).rejects.toBe(reason)
    expect(await names(made.backend, 'data')).toEqual([])
    await made.backend.put('data', id, bytes)
    await expect(made.backend.get('data', id, { signal })).rejects.toBe(reason)
    await expect(Array.fromAsync(made.backend.list('data', '', signal))).rejects.toBe(reason)
  })
}
