import { Option } from '@commander-js/extra-typings'
import { serviceEnvironments } from '../catalog/index.ts'

/** Of commands that are about many services. */
export function environmentOption() {
  return new Option(
    '--environment <name>',
    'only services of this environment; those that do not say theirs are in production',
  ).choices(serviceEnvironments)
}
