import { bundlePrograms } from '../../scripts/bundle.ts'

/** What tests start as programs of their own (program.ts): as bundles, they start at once. */
export default async function setup(): Promise<void> {
  await bundlePrograms('test', '*/*-process.ts', 'tests')
}
