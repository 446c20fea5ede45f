import { bundle, bundlePrograms } from '../../scripts/bundle.ts'
import { isBundleFresh } from '../../scripts/source-state.ts'

/** Tests start the program, its workers, and programs of their own some thousand times: from a bundle, each start takes a fifth of the time. */
export default async function setup(): Promise<void> {
  if (!isBundleFresh()) await bundle()
  await bundlePrograms('test', '*/*-process.ts', 'tests')
}
