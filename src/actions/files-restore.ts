import { z } from 'zod'
import { restoreSnapshot } from '../backup/index.ts'
import { repositoryName, serviceName, type Service } from '../catalog/index.ts'
import { HoldfastError, type Json, quote } from '../kernel/index.ts'
import { isFutureDated, type Repository, type Snapshot } from '../repository/index.ts'
import { backupPaths } from '../sources/index.ts'
import type { ActionContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { pathOrOutput } from './param-types.ts'
import { beginRestore, finishRestore, removeRestored } from './restored/marker.ts'
import { probeRestored } from './restored/probe.ts'
import { restoreProgress } from './restored/progress.ts'
import { fromCopy, openCopy, resticRepository, serviceAndRepository } from './restored/repository-of.ts'
import { manualRemoval, syncFileSystem, targetFindings } from './restored/target.ts'
import { reachOfFolder } from './reach.ts'
import { movedTarget } from './restored/moved-target.ts'

const params = z.strictObject({
  service: serviceName.describe('Whose newest snapshot that is not after the target is restored.'),
  repository: repositoryName.describe('Default: the first that the service is backed up to.').optional(),
  target: pathOrOutput.describe(
    'A folder, absent or empty. A service of one folder comes back as it; one of several has their full paths below it.',
  ),
})

/** Restores the newest snapshot of a service's files that is not after the run's target into a new folder. */
export const filesRestore = defineAction<z.infer<typeof params>>({
  kind: 'files.restore',
  description:
    'Restores a service’s files into a folder that is absent or empty, from the newest snapshot that is not after the run’s target. The undo removes what the step restored.',
  example: { service: 'uploads', target: '/srv/uploads' },
  effect: 'reversible',
  params,

  async preflight({ service: name, repository: named, target }, context, signal) {
    const copy = serviceAndRepository(context.catalog, name, named)
    const { service } = copy
    await using repository = await openCopy(context, copy, signal)
    const snapshot = await fromCopy(copy, () => chooseSnapshot(repository, service, context, signal))
    return targetFindings(target, snapshot.summary?.total_bytes_processed ?? 0, service.data.files?.paths ?? [])
  },

  probe: ({ target }, _context, { idempotencyKey }) => probeRestored(target, idempotencyKey),

  async run({ service: name, repository: named, target }, context, { signal, idempotencyKey }) {
    const copy = serviceAndRepository(context.catalog, name, named)
    await using repository = await openCopy(context, copy, signal)
    const snapshot = await fromCopy(copy, () => chooseSnapshot(repository, copy.service, context, signal))
    await beginRestore(target, idempotencyKey)
    const [only, ...others] = snapshot.paths
    const part = only === undefined || others.length > 0 ? {} : { subtree: only }
    const summary = await fromCopy(copy, () =>
      restoreSnapshot({ repository, snapshot, target, ...part }, restoreProgress(context, snapshot), signal),
    )
    await syncFileSystem(target, signal)
    const output: Json = {
      service: name,
      repository: copy.repository,
      target,
      snapshot: snapshot.id,
      recoveredUntil: new Date(snapshot.timeMs).toISOString(),
      files: summary.files,
      sizeBytes: summary.sizeBytes,
      skipped: summary.skipped.length,
    }
    await finishRestore(target, idempotencyKey, output)
    return output
  },

  reach: ({ target }, sandbox) => reachOfFolder(target, sandbox),
  inSandbox: (p, place) => movedTarget(p, place),

  undo: ({ target }, _output, _context, { idempotencyKey }) => removeRestored(target, idempotencyKey),

  manual: ({ service, repository, target }, catalog) => [
    `restic -r ${resticRepository(catalog, service, repository)} snapshots --tag service:${service}`,
    `restic -r ${resticRepository(catalog, service, repository)} restore SNAPSHOT --target ${quote(target)}   # with their full paths below it`,
  ],
  manualUndo: ({ target }) => manualRemoval([target]),
})

/** Throws `snapshot-not-found` when there is none, or none old enough. */
async function chooseSnapshot(
  repository: Repository,
  { name, data }: Service,
  { target, clock }: Pick<ActionContext, 'target' | 'clock'>,
  signal: AbortSignal,
): Promise<Snapshot> {
  const paths = data.files?.paths ?? []
  const nowMs = clock.now().getTime()
  const notAfterMs = target.kind === 'time' ? Date.parse(target.time) : Number.POSITIVE_INFINITY
  const snapshots = (await repository.snapshots(signal)).filter(
    (snapshot) => isOf(snapshot, name, paths) && !isFutureDated(snapshot, nowMs),
  )
  const inTime = snapshots.filter(({ timeMs }) => timeMs <= notAfterMs)
  const newest = inTime.toSorted((a, b) => b.timeMs - a.timeMs)[0]
  if (newest !== undefined) return newest
  throw new HoldfastError('snapshot-not-found', {
    message:
      snapshots.length === 0
        ? `${repository.location} holds no snapshot of ${name}`
        : `${repository.location} holds ${snapshots.length} snapshots of ${name}, none from before the target`,
    hint: snapshots.length === 0 ? `take one: \`holdfast backup --service ${name}\`` : 'choose a later target',
  })
}

/**
 * Tagged as the service's, or of exactly its paths and nobody's: the same paths on another machine are another service's. That of its database,
 * if it has one, is not meant.
 */
function isOf(snapshot: Snapshot, service: string, paths: readonly string[]): boolean {
  if (snapshot.paths.includes(`/${backupPaths.root(service)}`)) return false
  const services = snapshot.tags?.filter((tag) => tag.startsWith('service:')) ?? []
  if (services.length > 0) return services.includes(`service:${service}`)
  return paths.length > 0 && paths.length === snapshot.paths.length && paths.every((path) => snapshot.paths.includes(path))
}
