import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packAction, planPacks } from './plan.ts'
import { kindBits, type PackTable } from './pack-table.ts'

const MiB = 1024 ** 2

interface Pack {
  readonly used: number
  readonly unused: number
  readonly kind?: number
}

function plan(packs: readonly Pack[], options: Parameters<typeof planPacks>[2] = {}, lost: readonly number[] = []) {
  const table: PackTable = {
    usedBytes: Float64Array.from(packs, ({ used }) => used),
    unusedBytes: Float64Array.from(packs, ({ unused }) => unused),
    usedBlobs: Uint32Array.from(packs, ({ used }) => Math.ceil(used / MiB)),
    unusedBlobs: Uint32Array.from(packs, ({ unused }) => Math.ceil(unused / MiB)),
    kinds: Uint8Array.from(packs, ({ kind = kindBits.data }) => kind),
  }
  const sizes = Float64Array.from(packs, ({ used, unused }) => used + unused + 100)
  return Array.from(planPacks(table, { sizes, lost }, options))
}

const { keep, remove, repack } = packAction

describe('what becomes of packs', () => {
  test('those without anything used go, and lost ones too', () => {
    expect(
      plan(
        [
          { used: 0, unused: 9 * MiB },
          { used: 9 * MiB, unused: 0 },
          { used: 9 * MiB, unused: 0 },
        ],
        {},
        [2],
      ),
    ).toEqual([remove, keep, remove])
  })

  test('the most wasteful are repacked until no more than the limit is unused', () => {
    const packs = [
      { used: 15 * MiB, unused: 1 * MiB },
      { used: 2 * MiB, unused: 14 * MiB },
      { used: 100 * MiB, unused: 0 },
    ]
    expect(plan(packs)).toEqual([keep, repack, keep])
    expect(plan(packs, { maxUnused: { bytes: 0 } })).toEqual([repack, repack, keep])
    expect(plan(packs, { maxUnused: { bytes: Infinity } })).toEqual([keep, keep, keep])
  })

  test('trees with anything unused, and mixed packs, are repacked whatever may stay unused', () => {
    const packs = [
      { used: 9 * MiB, unused: 1, kind: kindBits.tree },
      { used: 9 * MiB, unused: 0, kind: kindBits.tree | kindBits.data },
      { used: 9 * MiB, unused: 0, kind: kindBits.tree },
    ]
    expect(plan(packs, { maxUnused: { bytes: Infinity } })).toEqual([repack, repack, keep])
    expect(plan(packs, { maxRepackBytes: 0 })).toEqual([keep, keep, keep])
  })

  test('small packs are joined from ten on, and only very small ones unasked', () => {
    const tiny = Array.from({ length: 10 }, () => ({ used: 1000, unused: 0 }))
    expect(plan(tiny)).toEqual(tiny.map(() => repack))
    expect(plan(tiny.slice(1))).toEqual(tiny.slice(1).map(() => keep))
    const middling = tiny.map(() => ({ used: 8 * MiB, unused: 0 }))
    expect(plan(middling)).toEqual(middling.map(() => keep))
    expect(plan(middling, { repackSmall: true })).toEqual(middling.map(() => repack))
  })

  test('what is uncompressed is compressed when asked', () => {
    const packs = [{ used: 8 * MiB, unused: 0, kind: kindBits.data | kindBits.uncompressedData }]
    expect(plan(packs)).toEqual([keep])
    expect(plan(packs, { repackUncompressed: true })).toEqual([repack])
  })
})

test('for any packs: what is used is never removed, and limits are kept', () => {
  const pack = fc.record({ used: fc.nat(20 * MiB), unused: fc.nat(20 * MiB), kind: fc.constantFrom(1, 2, 3, 5) })
  const options = fc.record({
    maxUnused: fc.oneof(fc.record({ percent: fc.integer({ min: 0, max: 99 }) }), fc.record({ bytes: fc.nat(50 * MiB) })),
    maxRepackBytes: fc.oneof(fc.constant(Infinity), fc.nat(100 * MiB)),
  })
  fc.assert(
    fc.property(fc.array(pack, { maxLength: 30 }), options, (packs, chosen) => {
      const actions = plan(packs, chosen)
      const bytes = (action: number, of: 'used' | 'unused') =>
        packs.reduce((sum, each, number) => (actions[number] === action ? sum + each[of] : sum), 0)
      expect(bytes(remove, 'used')).toBe(0)
      expect(bytes(repack, 'used') + bytes(repack, 'unused')).toBeLessThanOrEqual(chosen.maxRepackBytes)
      const used = bytes(keep, 'used') + bytes(repack, 'used')
      const allowed =
        'bytes' in chosen.maxUnused
          ? chosen.maxUnused.bytes
          : (used * chosen.maxUnused.percent) / (100 - chosen.maxUnused.percent)
      const isFree = chosen.maxRepackBytes === Infinity
      expect(!isFree || bytes(keep, 'unused') <= allowed).toBe(true)
    }),
  )
})
