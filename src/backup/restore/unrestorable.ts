import { HoldfastError, shortId } from '../../kernel/index.ts'
import type { PlannedFile } from './plan.ts'

const repairHint =
  'run `holdfast check --read-data` to see all that is damaged; restore another snapshot, or from another repository'

export function packDamaged(pack: string, { path }: PlannedFile, cause: Error): HoldfastError {
  return new HoldfastError('pack-damaged', {
    message: `${path.toString()} was not restored: ${cause.message}`,
    hint: repairHint,
    details: { pack, file: path.toString() },
    cause,
  })
}

export function contentUnknown({ path }: PlannedFile): HoldfastError {
  return new HoldfastError('object-damaged', {
    message: `${path.toString()} was not restored: the snapshot does not say what its content is`,
    hint: repairHint,
    details: { file: path.toString() },
  })
}

export function blobMissing(blob: string, { path }: PlannedFile): HoldfastError {
  return new HoldfastError('blob-missing', {
    message: `${path.toString()} was not restored: no index names its blob ${shortId(blob)}`,
    hint: repairHint,
    details: { blob, file: path.toString() },
  })
}
