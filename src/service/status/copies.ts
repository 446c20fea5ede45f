import { holdsData, type Catalog, type Service } from '../../catalog/index.ts'
import { canonicalJson } from '../../kernel/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import {
  copiesStatus,
  type CopiesStatus,
  type CopyPlace,
  type RepositoryCheck,
  type ServiceEvidence,
} from '../../objectives/index.ts'
import type { RepositoryFacts } from './repository-facts.ts'

/** 3-2-1-1-0 of a service's own data, by proof; undefined for one that holds none. */
export function copiesOf(
  catalog: Catalog,
  service: Service,
  { evidence, seen, now }: { readonly evidence: ServiceEvidence; readonly seen: readonly RepositoryFacts[]; readonly now: Date },
): CopiesStatus | undefined {
  if (!holdsData(service)) return undefined
  return copiesStatus({
    data: evidence.data.filter((part) => part.service === service.name),
    places: (service.backup?.to ?? []).flatMap((name) => placeOf(catalog, name, seen)),
    site: service.site,
    account: catalog.sites[service.site]?.account,
    now,
  })
}

function placeOf({ repositories, sites }: Catalog, name: string, seen: readonly RepositoryFacts[]): CopyPlace[] {
  const entry = repositories[name]
  if (entry === undefined) return []
  const facts = seen.find((each) => each.name === name)
  const account = sites[entry.site]?.account
  const check = facts?.wholeCheck
  return [
    {
      repository: name,
      site: entry.site,
      ...(account === undefined ? {} : { account }),
      media: entry.media,
      key: canonicalJson(entry.password),
      isImmutable: entry.immutableForMs !== undefined,
      seen: facts !== undefined,
      ...(check === undefined ? {} : { checked: checkOf(name, check) }),
    },
  ]
}

function checkOf(repository: string, { seq, time, body }: EvidenceRecord<'check'>): RepositoryCheck {
  return { began: new Date(time.getTime() - body.durationMs), time, record: { repository, seq } }
}
