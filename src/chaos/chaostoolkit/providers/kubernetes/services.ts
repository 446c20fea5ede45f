import { clusterFunction, unmet } from './define.ts'
import { list } from './objects.ts'
import { flag, ns, optionalName, optionalSelector } from './parameters.ts'

/** There is one; whether anything answers behind it is not asked. */
export const serviceIsInitialized = clusterFunction(
  { name: optionalName, ns, label_selector: optionalSelector, raise_if_service_not_initialized: flag.default(true) },
  async ({ name, ns: namespace, label_selector: selector, raise_if_service_not_initialized: raises }, cluster) => {
    const found = await list(cluster, { resource: 'services', ns: namespace }, { name, selector })
    return found.length > 0 || unmet(raises, `there is no service ${name ?? selector ?? ''}`)
  },
)
