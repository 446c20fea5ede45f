import { bundle } from '../../scripts/bundle.ts'
import { isBundleFresh } from '../../scripts/source-state.ts'

/** Tests start the program and its workers some thousand times: from a bundle, each start takes a fifth of the time. */
export default async function setup(): Promise<void> {
  if (!isBundleFresh()) await bundle()
}
