import { expect, test } from 'vitest'
import { noOpPlan, noOpSpec, openNoOpEngine } from '../../test/support/no-op-plan.ts'
import { planWorkshop } from '../../test/support/plans.ts'

test('twice as many steps take about twice the work, not four times', async () => {
  await workOf(200)
  const [some, twice] = [await leastWork(1000), await leastWork(2000)]
  expect(twice).toBeLessThan(4 * some)
})

async function leastWork(steps: number): Promise<number> {
  return Math.min(await workOf(steps), await workOf(steps))
}

/** Of the processor, in microseconds: neither the disk nor other processes count. */
async function workOf(steps: number): Promise<number> {
  await using shop = await planWorkshop()
  await using engine = openNoOpEngine(shop.folder)
  const spec = noOpSpec('r', noOpPlan('layers', steps))
  const before = process.threadCpuUsage()
  await engine.submit(spec)
  expect(await engine.attach('r')).toMatchObject({ state: 'completed', value: { status: 'succeeded', checksPassed: steps } })
  const { user, system } = process.threadCpuUsage(before)
  return user + system
}
