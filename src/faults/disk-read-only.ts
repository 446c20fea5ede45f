import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { absolutePath } from '../catalog/index.ts'
import { blocker, bootIdentity, HoldfastError, hostIdentity, quote, runProcess, type Finding } from '../kernel/index.ts'
import { absent, partly, present, type Sight } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { listMounts, mountAt, mountNamespace, type Mount } from './disk/mounts.ts'
import { writersOn } from './disk/writers.ts'
import { faultMark } from './mark.ts'
import { isNoted, noteOrder } from './note.ts'
import { inWords } from './process/identity.ts'

const params = z.strictObject({
  mount: absolutePath.describe('The mount point of the file system, such as /var/lib/postgresql.'),
})

const traces = z.strictObject({
  mountPoint: z.string(),
  id: z.int(),
  device: z.string(),
  /** When its root was made, in nanoseconds; 0 where that is not kept. The number and the device of a mount in memory are soon another's. */
  born: z.string(),
  /** Of the mount, without `rw`. */
  options: z.array(z.string()),
  /** Of the file system, without `rw`. */
  superOptions: z.array(z.string()),
  /** Inode of the mount namespace. */
  namespace: z.int(),
  host: z.string(),
  boot: z.string(),
})

type Traces = z.infer<typeof traces>

/** Their remount leaves all options as they are that are not named. */
const fileSystems = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'tmpfs'])
/** Of a mount, mount(8): those that a remount has to name, or else it takes them away. */
const namedOptions = new Set(['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'])

/** A disk that nothing can be written to any more, as a kernel makes one after an error. */
export const diskReadOnly = defineFault<z.infer<typeof params>, Traces>({
  kind: 'disk.read-only',
  description:
    'Remounts a file system read-only, and writable again at the end, with the options that it had: whoever writes gets EROFS. All that see it are hit, in other mount namespaces too. The kernel refuses while a file is open for writing, so this shows what happens to services that start or write anew; those that hold files open are named. The root file system, one that is mounted in several places, and one with options that cannot be brought back are refused.',
  example: { mount: '/srv/uploads' },
  params,
  traces,
  expiry: 'never',

  async preflight({ mount: path }, { folder }) {
    const mounts = listMounts()
    const found = mountAt(path, mounts)
    if (found === undefined) return [blocker('no-mount', `nothing is mounted at ${path}`, '`findmnt` lists what is')]
    return [...mountFindings(found, mounts), ...(await useFindings(path, folder))]
  },

  async plan({ mount: path }) {
    const found = mountAt(path)
    if (found === undefined) throw new HoldfastError('fault-refused', { message: `nothing is mounted at ${path}` })
    const { mountPoint, id, device, fileSystem, source, options, superOptions } = found
    return {
      targets: [`the file system ${source} (${fileSystem}) at ${mountPoint}`],
      traces: {
        mountPoint,
        id,
        device,
        born: bornOf(mountPoint),
        options: others(options),
        superOptions: others(superOptions),
        namespace: mountNamespace(),
        host: hostIdentity(),
        boot: bootIdentity(),
      },
    }
  },

  async inject(_params, trace, context, signal) {
    await noteOrder(context, async () => {
      const found = findAgain(trace)
      if (found !== undefined && !isReadOnly(found)) return
      throw new HoldfastError('fault-refused', { message: `${trace.mountPoint} is not what it was any more` })
    })
    await remount(trace, 'ro', context.id, 'fault-failed', signal)
  },

  look: async (trace, context) => ((await isNoted(context)) ? sightOf(trace, findAgain(trace)) : absent),

  async undo(trace, context, signal) {
    if (!(await isNoted(context))) return
    const found = findAgain(trace)
    if (found !== undefined && isReadOnly(found)) await remount(trace, 'rw', context.id, 'command-failed', signal)
  },

  manualUndo: ({ mountPoint, options }) => [`mount -o ${['remount', 'rw', ...options].join(',')} ${quote(mountPoint)}`],
})

function mountFindings(
  { mountPoint, id, device, fileSystem, options, superOptions }: Mount,
  mounts: readonly Mount[],
): Finding[] {
  if (mountPoint === '/') return [blocker('root-file-system', 'the root file system is not made read-only')]
  if (process.geteuid?.() !== 0) return [blocker('not-root', 'only root may remount', 'run as root')]
  if (!fileSystems.has(fileSystem))
    return [blocker('unknown-file-system', `whether a remount of ${fileSystem} keeps its options is not known`)]
  if (options.includes('ro') || superOptions.includes('ro'))
    return [blocker('already-read-only', `${mountPoint} is read-only already`)]
  const foreign = others(options).find((option) => !namedOptions.has(option))
  if (foreign !== undefined)
    return [blocker('foreign-option', `${mountPoint} has the option ${foreign}, which a remount may not bring back`)]
  const other = mounts.find((mount) => mount.device === device && mount.id !== id)
  return other === undefined ? [] : [blocker('mounted-twice', `the same file system is mounted at ${other.mountPoint} too`)]
}

/** What would be in the way, or be hit itself. */
async function useFindings(path: string, folder: string): Promise<Finding[]> {
  const { dev } = await stat(path)
  if ((await stat(dirname(folder))).dev === dev)
    return [blocker('own-records', `Holdfast keeps the records of faults on ${path}`, 'keep its state elsewhere')]
  const writers = writersOn(dev)
  if (writers.length === 0) return []
  const hint = 'stop them first; the kernel refuses as long as files are open for writing'
  return [blocker('open-for-writing', `${writers.map(inWords).join(', ')} has files on ${path} open for writing`, hint)]
}

/** The very mount. Throws `outcome-unknown` where it cannot be seen from here, and when another covers it. */
function findAgain({ mountPoint, id, device, born, namespace, host, boot }: Traces): Mount | undefined {
  if (boot !== bootIdentity()) return undefined
  if (host !== hostIdentity() || namespace !== mountNamespace()) {
    throw new HoldfastError('outcome-unknown', {
      message: `${mountPoint} was mounted in a namespace that cannot be seen from here`,
    })
  }
  const mounts = listMounts()
  const found = mounts.find((mount) => mount.id === id && mount.device === device && mount.mountPoint === mountPoint)
  if (found === undefined) return undefined
  if (mountAt(mountPoint, mounts) === found) return bornOf(mountPoint) === born ? found : undefined
  throw new HoldfastError('outcome-unknown', { message: `something else has been mounted over ${mountPoint}` })
}

function sightOf(trace: Traces, found: Mount | undefined): Sight {
  if (found === undefined) return absent
  if (isReadOnly(found)) return present
  const has = [...others(found.options), ...others(found.superOptions)]
  const had = [...trace.options, ...trace.superOptions]
  const isAsBefore = has.toSorted().join() === had.toSorted().join()
  return isAsBefore ? absent : partly(`its options were ${had.join(',')} and are ${has.join(',')}`)
}

/** With all options named, and none taken from anywhere else: fstab may say something else than what is. */
async function remount(
  { mountPoint, options }: Traces,
  as: 'ro' | 'rw',
  id: string,
  code: 'fault-failed' | 'command-failed',
  signal: AbortSignal,
): Promise<void> {
  const args = ['-n', '--options-source', 'disable', '-o', ['remount', as, ...options].join(','), mountPoint]
  const { exitCode, stderr } = await runProcess('mount', args, { env: { ...process.env, LC_ALL: 'C', ...faultMark(id) } }, signal)
  if (exitCode !== 0) throw new HoldfastError(code, { message: stderr.trim().split('\n')[0] ?? '', retryable: true })
}

function bornOf(path: string): string {
  return String(statSync(path, { bigint: true }).birthtimeNs)
}

function isReadOnly({ superOptions }: Mount): boolean {
  return superOptions.includes('ro')
}

function others(options: readonly string[]): string[] {
  return options.filter((option) => option !== 'rw' && option !== 'ro')
}
