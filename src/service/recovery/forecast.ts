import { findService, type Catalog } from '../../catalog/index.ts'
import { forecastOf, planAsRun, type Forecast } from '../../recovery/index.ts'
import { pastStepTimes } from '../runbook/step-times.ts'
import type { PreparedRecovery } from './prepare.ts'

/** How long a recovery is expected to take, from the newest runs of its plan on this machine, against the service's objective. */
export interface RecoveryForecast extends Forecast {
  readonly rtoMs: number
  /** Whether that is within the RTO; absent where it is not known. The time until somebody starts it comes on top. */
  readonly fits?: boolean
}

export async function forecastRecovery(
  catalog: Catalog,
  service: string,
  { input }: PreparedRecovery,
): Promise<RecoveryForecast> {
  const { rtoMs } = findService(catalog, service).objectives
  const forecast = forecastOf(planAsRun(input), await pastStepTimes(catalog, input.plan.name))
  // What has run is a lower bound already: too long is known before all of it is.
  if (forecast.totalMs > rtoMs) return { ...forecast, rtoMs, fits: false }
  return forecast.basis === 'estimated' ? { ...forecast, rtoMs, fits: true } : { ...forecast, rtoMs }
}
