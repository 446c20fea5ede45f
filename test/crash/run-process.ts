/**
 * A worker for the crash tests, run as a process of its own: `node run-process.ts FOLDER PLAN CRASH_AFTER`.
 * Submits the plan in the file PLAN as run `r`, or resumes it, and kills itself with SIGKILL once the journal has CRASH_AFTER records, or,
 * for `when-begun`, once a step has left its first trace.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { actions } from '../../src/actions/index.ts'
import { openLocalEngine } from '../../src/durable/index.ts'
import { isHoldfastError } from '../../src/kernel/index.ts'
import { createPlanHandler, planHash, type Plan } from '../../src/recovery/index.ts'
import { codeVersion, servicesIn, submitPlan } from '../support/plans.ts'

const [folder = '', planFile = '', crashAfter = '0'] = process.argv.slice(2)
if (crashAfter === 'when-begun') {
  setInterval(() => existsSync(join(folder, 'effects')) && process.kill(process.pid, 'SIGKILL'), 5)
}
const plan = JSON.parse(await readFile(planFile, 'utf8')) as Plan

await using engine = openLocalEngine({
  directory: folder,
  handler: createPlanHandler({ actions, services: servicesIn(folder) }),
  afterRecord: (_runId, seq) => {
    if (seq === Number(crashAfter)) process.kill(process.pid, 'SIGKILL')
  },
})
try {
  await engine.status('r')
  await engine.resume('r', { planHash: planHash(plan, codeVersion), codeVersion })
} catch (error) {
  if (!isHoldfastError(error, 'run-not-found')) throw error
  await submitPlan(engine, plan)
}
await engine.attach('r')
