import { copyLints } from './copies.ts'
import { dependencyLints } from './dependencies.ts'
import { groupLints } from './groups.ts'
import { environmentLints } from './environments.ts'
import type { Lint } from './lint.ts'
import { maintenanceLints } from './maintenance.ts'
import { needLints } from './needs.ts'
import { peopleLints } from './people.ts'
import { planLints } from './plans.ts'
import { scheduleLints } from './schedules.ts'
import { survivabilityLints } from './survivability.ts'

/** Every lint, in the order of docs/lints.md. */
export const lints: readonly Lint[] = [
  ...dependencyLints,
  ...environmentLints,
  ...copyLints,
  ...scheduleLints,
  ...maintenanceLints,
  ...groupLints,
  ...peopleLints,
  ...planLints,
  ...survivabilityLints,
  ...needLints,
]
