import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadCatalog } from '../catalog/index.ts'
import { graphSvg } from './charts/graph-svg.ts'
import { boundText, criticalText, serviceGraph } from './graph.ts'

test('a chain with a member whose time nobody knows is a lower bound, and says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-graph-'))
  try {
    const file = join(folder, 'holdfast.yaml')
    const known = 'external: { payments: { assumed: { rto: 40m } } }'
    const head = 'version: 1\nname: shop\nsites: { hq: {} }\n'
    const services = `services:
  db: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 30m } }
  api: { owner: Shop, site: hq, objectives: { rpo: 1h, rto: 1h }, dependsOn: [db, payments] }
`
    await writeFile(file, `${head}${known}\n${services}`)
    const whole = serviceGraph(await loadCatalog(file))
    expect(criticalText(whole)).toBe('the longest by declared RTOs: 1 h 40 min along payments → api')

    await writeFile(file, `${head}external: { payments: {} }\n${services}`)
    const bound = serviceGraph(await loadCatalog(file))
    expect(bound.members.find(({ name }) => name === 'api')).toMatchObject({ pathMs: 90 * 60_000, unknown: ['payments'] })
    expect(bound.members.find(({ name }) => name === 'db')).toMatchObject({ unknown: [] })
    expect(criticalText(bound)).toBe(
      'the longest by declared RTOs: at least 1 h 30 min along db → api, and nobody knows the time of payments',
    )
    expect(boundText(90 * 60_000, ['payments'])).toBe('at least 1 h 30 min')
    expect(await graphSvg(bound)).toContain('RTO 1 h (≥ 1 h 30 min)')
  } finally {
    await rm(folder, { recursive: true })
  }
})
