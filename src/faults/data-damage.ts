import { lstat, realpath, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { absolutePath, repositoryName, sizeText } from '../catalog/index.ts'
import {
  blocker,
  formatSize,
  HoldfastError,
  isPathWithin,
  quote,
  seededRandom,
  tryParseSize,
  type Finding,
} from '../kernel/index.ts'
import { choice, choose, type Choice } from './choose.ts'
import { absent, partly, present, type FaultContext, type Sight } from './contract.ts'
import { giveName, lookAtCopy, makeCopy, removeCopy, taggedCopy } from './damage/copy.ts'
import { damageKinds, goneMeanwhile, kindOf, listFiles, requireFolder, type DamageKind } from './damage/objects.ts'
import { inWords, isSpoiled, planDamage, spoil, spoiled, type Damage } from './damage/spoil.ts'
import { defineFault } from './define-fault.ts'
import { bytesOf } from './size.ts'

const params = z.strictObject({
  repository: repositoryName.describe('A repository of the catalog, in a folder of this machine.').optional(),
  folder: absolutePath.describe('Or any folder with a repository in restic’s format, or with segments of WAL.').optional(),
  copyTo: absolutePath.describe(
    'The name of the copy that is damaged. Nothing may have it yet; the folder that it will be in must exist.',
  ),
  kinds: z
    .array(z.enum(damageKinds))
    .min(1)
    .describe('Of what. WAL is what Holdfast keeps beside the snapshots, or segments as archive_command stores them.')
    .default(['pack']),
  choose: choice.describe('How many of those are damaged, 200 at most.').default('one'),
  damage: z
    .union([
      z.literal('remove'),
      z.strictObject({
        flipBits: z.int().min(1).max(64).describe('That many single bits, in different bytes, are other than they were.'),
      }),
      z.strictObject({
        truncate: sizeText
          .refine((size) => tryParseSize(size) !== 0, 'nothing would be damaged: expected more than 0')
          .describe('That much is missing at the end.'),
      }),
    ])
    .meta({ expected: "'remove', { flipBits: N } or { truncate: SIZE }" })
    .describe('What happens to each of them; remove: it is not there.'),
  seed: z
    .int()
    .describe('The same seed damages the same of an unchanged repository. Default: anew at random each time.')
    .optional(),
})

interface Params {
  readonly repository?: string | undefined
  readonly folder?: string | undefined
  readonly copyTo: string
  readonly kinds: readonly DamageKind[]
  readonly choose: Choice
  readonly damage: 'remove' | { readonly flipBits: number } | { readonly truncate: string }
  readonly seed?: number | undefined
}

const traces = z.strictObject({ from: absolutePath, copyTo: absolutePath, spoiled: z.array(spoiled) })
type Traces = z.infer<typeof traces>

/** Each is on record, and a record has its bounds. */
const mostObjects = 200
const mostBits = 1000

/** A copy of a backup is damaged, as disks, transfers and people damage backups. */
export const dataDamage = defineFault<Params, Traces>({
  kind: 'data.damage',
  description:
    'Copies a repository, or a folder with WAL, and flips bits of its files, cuts them off, or removes them, in the copy alone: the original is only read. Whether `holdfast check` and a restore from the copy find it is what the experiment shows; both take the name of the copy with `--repo`. What is wrong, to the byte, is on record. At the end the copy is removed. It needs as much room as the original. Locks are not copied.',
  example: {
    repository: 'nas',
    copyTo: '/srv/chaos/damaged',
    kinds: ['pack'],
    choose: { count: 3 },
    damage: { flipBits: 1 },
  },
  params,
  traces,
  expiry: 'never',

  async preflight(p, context, signal) {
    const from = sourceOf(p, context)
    await requireFolder(from)
    return await findingsOf(from, p.copyTo, context, signal)
  },

  async plan(p, context, signal) {
    const from = sourceOf(p, context)
    const files = await listFiles(from, signal)
    const wanted = new Set<DamageKind | undefined>(p.kinds)
    const fitting = files.filter(({ path }) => wanted.has(kindOf(path)))
    const random = p.seed === undefined ? () => context.random() : seededRandom(p.seed)
    const chosen = choose(fitting, p.choose, random)
    const damage = damageOf(p.damage)
    if (
      chosen.length > mostObjects ||
      (typeof damage === 'object' && 'flipBits' in damage && chosen.length * damage.flipBits > mostBits)
    ) {
      throw new HoldfastError('fault-refused', {
        message: `${chosen.length} files are more than can be damaged at once: ${mostObjects} files, ${mostBits} bits in all`,
        hint: 'choose fewer with `choose: { count: N }`',
      })
    }
    const spoiled: Traces['spoiled'] = []
    for (const file of chosen) spoiled.push(...(await planDamage(from, file, damage, random)))
    return {
      targets: spoiled.map((one) => `copy of ${from}: ${inWords(one)}`),
      candidates: fitting.length,
      traces: { from, copyTo: p.copyTo, spoiled },
    }
  },

  async inject(_params, { from, copyTo, spoiled }, { id }, signal) {
    const copy = taggedCopy(copyTo, id)
    await makeCopy(from, copy, signal)
    for (const one of spoiled) await spoil(copy, one)
    await giveName(copyTo, copy)
  },

  async look({ copyTo, spoiled }, { id }): Promise<Sight> {
    const copy = taggedCopy(copyTo, id)
    const { isThere, isNamed } = await lookAtCopy(copyTo, copy)
    if (!isThere && !isNamed) return absent
    if (!isThere || !isNamed) return partly(`the copy ${isThere ? 'has not its name' : 'is gone, its name is not'}`)
    for (const one of spoiled) if (!(await isSpoiled(copy, one))) return partly(`it is not so any more: ${inWords(one)}`)
    return present
  },

  undo: ({ copyTo }, { id }) => removeCopy(copyTo, taggedCopy(copyTo, id)),

  manualUndo({ copyTo }, id) {
    const [name, copy] = [quote(copyTo), quote(taggedCopy(copyTo, id))]
    return [`if [ "$(readlink ${name})" = ${copy} ]; then rm ${name}; fi`, `rm -rf ${copy}`]
  },
})

function sourceOf({ repository, folder }: Params, { catalog }: FaultContext): string {
  if (folder !== undefined && repository === undefined) return folder
  if (repository === undefined || folder !== undefined)
    throw new HoldfastError('usage', { message: 'data.damage takes either `repository` or `folder`' })
  const entry = catalog?.repositories[repository]
  if (entry === undefined) throw new HoldfastError('not-found', { message: `the catalog has no repository '${repository}'` })
  if (entry.location.startsWith('/')) return entry.location
  throw new HoldfastError('fault-refused', {
    message: `the repository ${repository} is not in a folder of this machine: ${entry.location}`,
    hint: 'copy it into one, and name that with `folder`',
  })
}

async function findingsOf(from: string, copyTo: string, { catalog }: FaultContext, signal: AbortSignal): Promise<Finding[]> {
  if ((await lstat(copyTo).catch(goneMeanwhile)) !== undefined)
    return [blocker('copy-exists', `${copyTo} exists already`, 'name another place in `copyTo`, or remove what is there')]
  const parent = await realpath(dirname(copyTo)).catch(goneMeanwhile)
  if (parent === undefined) return [blocker('no-parent', `there is no folder ${dirname(copyTo)}`)]
  const place = join(parent, basename(copyTo))
  for (const used of [from, ...Object.values(catalog?.repositories ?? {}).map(({ location }) => location)]) {
    const real = used.startsWith('/') ? await realpath(used).catch(goneMeanwhile) : undefined
    if (used === copyTo || (real !== undefined && isPathWithin(place, real)))
      return [blocker('within-repository', `${copyTo} is the place of a repository: ${used}`, 'a copy needs a folder of its own')]
  }
  const { bsize, bavail } = await statfs(parent)
  const needed = (await listFiles(from, signal)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (needed <= bavail * bsize) return []
  return [blocker('no-room', `a copy of ${from} needs ${formatSize(needed)}, and ${parent} has ${formatSize(bavail * bsize)}`)]
}

function damageOf(damage: Params['damage']): Damage {
  if (damage === 'remove' || 'flipBits' in damage) return damage
  return { truncate: bytesOf(damage.truncate) }
}
