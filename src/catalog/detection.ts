import { tryParseDuration } from '../kernel/index.ts'
import { valueAt } from './structure.ts'
import { isPlainMap, type Finding, type Path } from './finding.ts'
import type { CatalogSource } from './catalog-source.ts'

/** What is wrong between a plan's detection, its observers and the services that it recovers: rules that could not hold when it counts. */
export function detectionFindings(catalog: unknown, source: CatalogSource): Finding[] {
  const plans = valueAt(catalog, ['plans'])
  if (!isPlainMap(plans)) return []
  return Object.keys(plans).flatMap((plan) => {
    const detection = valueAt(plans, [plan, 'detection'])
    if (!isPlainMap(detection)) return []
    const seen: Seen = { catalog, source, plan, detection, at: ['plans', plan, 'detection'] }
    if (Array.isArray(detection.observers)) {
      return [
        ...missingFindings(seen),
        ...quorumFindings(seen),
        ...siteFindings(seen),
        ...holdFindings(seen),
        ...autoFindings(seen),
        ...claimsFindings(seen),
      ]
    }
    return unwatchedFindings(seen)
  })
}

interface Seen {
  readonly catalog: unknown
  readonly source: CatalogSource
  readonly plan: string
  readonly detection: Readonly<Record<string, unknown>>
  readonly at: Path
}

/** Without observers nobody looks: whatever asks for it is a mistake. */
function unwatchedFindings({ detection, source, at }: Seen): Finding[] {
  const asked =
    detection.decide === 'auto'
      ? 'decide'
      : (['probes', 'notify', 'claims'] as const).find((name) => detection[name] !== undefined)
  if (asked === undefined || detection.observers !== undefined) return []
  return [
    {
      code: 'missing',
      offset: source.keyOffset([...at, asked]),
      message: `${at.join('.')} has '${asked}', but no 'observers': nobody would look`,
      expected: "observers: names under 'observers', at other sites than the services",
      hint: 'write `observers: [NAME, …]`, with `quorum` and `for`',
    },
  ]
}

function missingFindings({ catalog, detection, source, at, plan }: Seen): Finding[] {
  const missing = (name: string, expected: string, hint: string): Finding => ({
    code: 'missing',
    offset: source.keyOffset(at),
    message: `${at.join('.')} has observers, but no '${name}'`,
    expected: `${name}: ${expected}`,
    hint,
  })
  const count = texts(detection.observers).length
  const recovers = texts(valueAt(catalog, ['plans', plan, 'recovers']))
  const hasHealth = recovers.some((service) => isPlainMap(valueAt(catalog, ['services', service, 'health'])))
  return [
    ...(detection.quorum === undefined
      ? [missing('quorum', 'how many of the observers must agree', `write \`quorum: ${Math.floor(count / 2) + 1} of ${count}\``)]
      : []),
    ...(detection.for === undefined ? [missing('for', 'how long the symptoms must hold', 'write `for: 60s`')] : []),
    ...(detection.probes === undefined && !hasHealth
      ? [
          missing(
            'probes',
            'what they look at; none of the recovered services has a `health`',
            'write `probes: [{ http: https://… }]`, or give a service its `health`',
          ),
        ]
      : []),
  ]
}

/** The quorum is one of all configured observers: not of those that happen to be reachable. */
function quorumFindings({ detection, source, at }: Seen): Finding[] {
  const [needed, of] = quorumOf(detection)
  const count = texts(detection.observers).length
  if (needed === undefined || of === undefined || of === count) return []
  return [
    {
      code: 'wrong-value',
      offset: source.valueOffset([...at, 'quorum']),
      message: `${at.join('.')}.quorum counts ${of} observers, but ${count} ${count === 1 ? 'is' : 'are'} configured`,
      expected: `'N of ${count}': a quorum counts every configured observer, reachable or not`,
      hint: `write \`quorum: ${Math.min(needed, count)} of ${count}\`, or configure ${of} observers`,
    },
  ]
}

/** An observer, or the way of its reports, that falls with the service could not tell of it; two at one site fall together. */
function siteFindings({ catalog, detection, source, at, plan }: Seen): Finding[] {
  const home = new Map(
    texts(valueAt(catalog, ['plans', plan, 'recovers'])).flatMap((service) => {
      const site = valueAt(catalog, ['services', service, 'site'])
      return typeof site === 'string' ? [[site, service] as const] : []
    }),
  )
  const taken = new Map<string, string>()
  return texts(detection.observers).flatMap((name, index): Finding[] => {
    const site = valueAt(catalog, ['observers', name, 'site'])
    if (typeof site !== 'string') return []
    const offset = source.valueOffset([...at, 'observers', index])
    const other = taken.get(site)
    taken.set(site, name)
    const repository = valueAt(catalog, ['observers', name, 'report', 'repository'])
    const repositorySite = typeof repository === 'string' ? valueAt(catalog, ['repositories', repository, 'site']) : undefined
    const findings: Finding[] = []
    if (home.has(site)) {
      findings.push({
        code: 'wrong-value',
        offset,
        message: `the observer '${name}' is at the site '${site}', as ${home.get(site)} is, which it watches: they fail together`,
        expected: 'an observer at another site',
        hint: 'run it elsewhere, or leave it out and count one less in `quorum`',
      })
    }
    if (other !== undefined && other !== name) {
      findings.push({
        code: 'wrong-value',
        offset,
        message: `the observers '${other}' and '${name}' are both at the site '${site}': one broken network would be two votes`,
        expected: 'observers at different sites',
        hint: 'keep one of them',
      })
    }
    if (typeof repositorySite === 'string' && home.has(repositorySite)) {
      findings.push({
        code: 'wrong-value',
        offset,
        message: `the observer '${name}' reports through the repository '${String(repository)}' at the site '${repositorySite}', as ${home.get(repositorySite)} is: with the site its reports are lost`,
        expected: 'a repository at another site, or a collector over http',
        hint: `change observers.${name}.report`,
      })
    }
    return findings
  })
}

/** A hold time shorter than the cadence would be one look. */
function holdFindings({ detection, source, at }: Seen): Finding[] {
  const everyMs = tryParseDuration(typeof detection.every === 'string' ? detection.every : '5s')
  const forMs = typeof detection.for === 'string' ? tryParseDuration(detection.for) : undefined
  if (everyMs === undefined || forMs === undefined || (forMs >= everyMs && everyMs > 0)) return []
  const isZero = everyMs === 0
  return [
    {
      code: 'wrong-value',
      offset: source.valueOffset([...at, isZero ? 'every' : 'for']),
      message: isZero
        ? `${at.join('.')}.every is no time at all`
        : `${at.join('.')}.for is shorter than 'every': one failed look would be enough`,
      expected: isZero ? 'how often they look, such as 5s' : 'a time in which each observer looks at least twice',
      hint: isZero ? 'write `every: 5s`' : 'write a longer `for`, or a shorter `every`',
    },
  ]
}

/** Nobody is asked: then one observer, or the smaller half of a divided network, must not be enough. */
function autoFindings({ detection, source, at }: Seen): Finding[] {
  const [needed, of] = quorumOf(detection)
  if (detection.decide !== 'auto' || needed === undefined || of === undefined || (needed >= 2 && needed * 2 > of)) return []
  return [
    {
      code: 'wrong-value',
      offset: source.valueOffset([...at, 'quorum']),
      message: `${at.join('.')} decides by itself, with a quorum of ${needed} of ${of}`,
      expected: 'a majority, of at least two observers, when nobody is asked',
      hint: 'write a larger quorum, or `decide: ask`',
    },
  ]
}

/** Claims that go with the site would keep everybody from acting, just when it counts. */
function claimsFindings({ catalog, detection, source, at, plan }: Seen): Finding[] {
  const repository = valueAt(detection, ['claims', 'repository'])
  const site = typeof repository === 'string' ? valueAt(catalog, ['repositories', repository, 'site']) : undefined
  const here = texts(valueAt(catalog, ['plans', plan, 'recovers'])).find(
    (service) => typeof site === 'string' && valueAt(catalog, ['services', service, 'site']) === site,
  )
  if (here === undefined) return []
  return [
    {
      code: 'wrong-value',
      offset: source.valueOffset([...at, 'claims', 'repository']),
      message: `${at.join('.')} is claimed in the repository '${String(repository)}' at the site '${String(site)}', as ${here} is: with the site nobody could act`,
      expected: 'a repository at another site',
      hint: 'name another repository',
    },
  ]
}

function quorumOf({ quorum }: Readonly<Record<string, unknown>>): readonly (number | undefined)[] {
  return typeof quorum === 'string' && /^\d+ of \d+$/.test(quorum) ? quorum.split(' of ').map(Number) : []
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
