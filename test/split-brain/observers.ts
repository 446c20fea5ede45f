import { until } from '../support/until.ts'
import { collectorPort, observers } from './catalog.ts'
import type { HoldfastProcess, World } from './world.ts'

/** Starts what collects reports, an observer at each of its places, and who decides by them: that one is given, once it has heard that all is well. */
export async function watch(world: World): Promise<HoldfastProcess> {
  world.holdfast('runner', ['observe', '--listen', `0.0.0.0:${collectorPort}`])
  for (const [name, place] of Object.entries(observers)) world.holdfast(place, ['observe', '--as', name])
  const decider = world.holdfast('runner', detectArguments)
  await until(
    'until the observers see it well',
    async () => decider.output(),
    (text) => /is healthy/.test(text) || decider.ended(),
  )
  return decider
}

export const detectArguments = ['detect', 'orders', '--wait', '--act', '--disaster'] as const
