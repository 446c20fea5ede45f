import type { CatalogSource } from './catalog-source.ts'
import { entryName } from './fields.ts'
import { isPlainMap, type Finding, type Path } from './finding.ts'
import { valueAt } from './structure.ts'

const objectives = {
  rpo: 'Recovery point objective: the most data, in time, that may be lost',
  rto: 'Recovery time objective: the longest that it may be down',
}

/** Services without objectives, neither their own nor their tier's; and tiers that are not there. */
export function tierFindings(catalog: unknown, source: CatalogSource): Finding[] {
  const [services, tiers] = [valueAt(catalog, ['services']), valueAt(catalog, ['tiers'])]
  if (!isPlainMap(services)) return []
  return Object.entries(services).flatMap(([name, service]) => {
    // A name that cannot be one has been reported, and hides the rest of its entry.
    if (!isPlainMap(service) || !entryName.safeParse(name).success) return []
    return [
      ...unknownTier(service.tier, tiers, ['services', name, 'tier'], source),
      ...missingObjectives(service, tiers, name, source),
    ]
  })
}

function unknownTier(tier: unknown, tiers: unknown, path: Path, source: CatalogSource): Finding[] {
  if (typeof tier !== 'number' || !isPlainMap(tiers) || Object.hasOwn(tiers, String(tier))) return []
  return [
    {
      code: 'unknown-reference',
      offset: source.valueOffset(path),
      message: `${path.join('.')} names the tier ${tier}, which does not exist`,
      expected: `a tier under 'tiers': ${Object.keys(tiers).join(', ')}`,
      hint: `write ${tier} under 'tiers', or name another one`,
    },
  ]
}

function missingObjectives(
  service: Readonly<Record<string, unknown>>,
  tiers: unknown,
  name: string,
  source: CatalogSource,
): Finding[] {
  const own = service.objectives
  // What stands there but is no map has been reported as that.
  if (own !== undefined && !isPlainMap(own)) return []
  const byTier = valueAt(tiers, [String(service.tier), 'objectives'])
  const missing = (['rpo', 'rto'] as const).filter((each) => own?.[each] === undefined && valueAt(byTier, [each]) === undefined)
  if (missing.length === 0) return []
  const orTier = typeof service.tier === 'number' ? `, here or in tiers.${service.tier}` : ''
  const code = 'missing'
  if (own === undefined)
    return [
      {
        code,
        offset: source.keyOffset(['services', name]),
        message: `services.${name} has no 'objectives'${missing.length === 1 ? ` with ${missing[0]}` : ''}`,
        expected: 'objectives: how much may be lost, and how long it may be down',
        hint: `write \`objectives: { ${missing.map((each) => `${each}: ${each === 'rpo' ? '5m' : '15m'}`).join(', ')} }\`${orTier}`,
      },
    ]
  return missing.map((each): Finding => ({
    code,
    offset: source.keyOffset(['services', name, 'objectives']),
    message: `services.${name}.objectives has no '${each}'`,
    expected: `${each}: ${objectives[each]}`,
    hint: `write \`${each}: ${each === 'rpo' ? '5m' : '15m'}\`${orTier}`,
  }))
}
